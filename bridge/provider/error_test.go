package provider_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/provider"
	"livebridge/bridge/provider/providertest"
)

// failure is what goes wrong with a request, and what the user gets to read.
type failure struct {
	name      string
	prepare   func(t *testing.T, p *providertest.Provider, c *provider.Config)
	status    int
	code      string
	contains  []string // of the error's text
	temporary bool
}

func faulty(f providertest.Fault) func(*testing.T, *providertest.Provider, *provider.Config) {
	return func(_ *testing.T, p *providertest.Provider, _ *provider.Config) { p.Fail(f) }
}

func environment(name, text string) func(*testing.T, *providertest.Provider, *provider.Config) {
	return func(t *testing.T, _ *providertest.Provider, _ *provider.Config) { t.Setenv(name, text) }
}

func failures() []failure {
	return []failure{
		{"unknown access key", environment("HUAWEICLOUD_SDK_AK", "AKWRONG"), 401, "APIGW.0301",
			[]string{"ak not exist", "request id emulated-1", "check the access key"}, false},
		{"wrong secret", environment("HUAWEICLOUD_SDK_SK", "wrong"), 401, "APIGW.0301",
			[]string{"verify aksk signature fail", "clock"}, false},
		{"token that the account has not", environment("HUAWEICLOUD_SDK_SECURITY_TOKEN", "expired"), 401, "APIGW.0301",
			[]string{"security token"}, false},
		{"project of another region", environment("HUAWEICLOUD_SDK_PROJECT_ID", "other"), 403, "LIVE.100011003",
			[]string{"grant the permissions"}, false},
		{"throttled", faulty(providertest.Throttled()), 429, "APIGW.0308", []string{"wait a minute"}, true},
		{"broken", faulty(providertest.Broken()), 500, "LIVE.100011002", []string{"report the request id"}, true},
		{"page of a proxy", faulty(providertest.Fault{Status: 502, Message: "<html>\x1b[31m" + strings.Repeat("x", 9999)}),
			502, "", []string{"status 502"}, true},
		{"no answer", func(_ *testing.T, p *providertest.Provider, c *provider.Config) {
			p.Fail(providertest.Silent())
			c.Timeout = 50 * time.Millisecond
		}, 0, "", []string{"no response within 50ms"}, true},
		{"nobody listens", func(_ *testing.T, _ *providertest.Provider, c *provider.Config) {
			closed := httptest.NewServer(http.NotFoundHandler())
			closed.Close()
			c.Endpoint = closed.URL
		}, 0, "", []string{"connection refused", "check the network"}, true},
		{"unknown region", func(_ *testing.T, _ *providertest.Provider, c *provider.Config) {
			c.Endpoint, c.Region = "", "eu-west-0"
		}, 0, "", []string{"eu-west-0", "cn-north-4", "ap-southeast-3"}, false},
	}
}

func TestFailuresAreInWords(t *testing.T) {
	for _, f := range failures() {
		t.Run(f.name, func(t *testing.T) {
			p, url := emulate(t)
			config := provider.Config{Endpoint: url}
			f.prepare(t, p, &config)
			c, err := provider.Open(config)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.List(t.Context(), provider.Query{Kind: bridge.KindRecord})
			var e *provider.Error
			if !errors.As(err, &e) {
				t.Fatalf("%T: %v", err, err)
			}
			if e.Status != f.status || e.Code != f.code || e.Temporary != f.temporary {
				t.Errorf("status %d, code %q, temporary %v: %v", e.Status, e.Code, e.Temporary, e)
			}
			for _, part := range append(f.contains, "list record") {
				if !strings.Contains(e.Error(), part) {
					t.Errorf("%q lacks %q", e, part)
				}
			}
			if strings.ContainsAny(e.Error(), "\x1b\n") || len(e.Error()) > 900 || strings.Contains(e.Error(), secretKey) {
				t.Errorf("cannot be shown: %q", e)
			}
		})
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	for name, config := range map[string]provider.Config{
		"no region is given": {}, "not a URL": {Endpoint: "localhost:80"}, "no project": {Endpoint: "http://127.0.0.1:1"},
	} {
		account(t)
		t.Setenv("HUAWEICLOUD_SDK_PROJECT_ID", "")
		if _, err := provider.Open(config); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%+v: %v", config, err)
		}
	}
}

// TestACancelledRequestEnds: the SDK knows no context.
func TestACancelledRequestEnds(t *testing.T) {
	p, c := open(t)
	t.Cleanup(p.Heal)
	p.Fail(providertest.Silent())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := c.List(ctx, provider.Query{Kind: bridge.KindRecord})
		ended <- err
	}()
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the request goes on")
	}
}

// TestAKeyThatTheProviderRepeatsIsMasked: its message may quote what it was sent.
func TestAKeyThatTheProviderRepeatsIsMasked(t *testing.T) {
	p, c := open(t)
	p.Fail(providertest.Fault{Status: 400, Code: "LIVE.100011001", Message: "bad key " + key.Reveal()})
	for _, wanted := range callbacks() {
		if _, err := c.Create(t.Context(), wanted); err == nil || strings.Contains(err.Error(), key.Reveal()) ||
			!strings.Contains(err.Error(), key.String()) {
			t.Errorf("%v", err)
		}
	}
}

func TestWhatCannotBeRegisteredIsNamed(t *testing.T) {
	_, c := open(t)
	record, stream := callbacks()[1], callbacks()[0]
	cases := map[string]provider.Callback{}
	add := func(problem string, wanted provider.Callback, change func(*provider.Callback)) {
		change(&wanted)
		cases[problem] = wanted
	}
	add("domain", record, func(c *provider.Callback) { c.Domain = "https://push.example.com" })
	add("app", record, func(c *provider.Callback) { c.App = "" })
	add("app", stream, func(c *provider.Callback) { c.App = "live" })
	add("url", record, func(c *provider.Callback) { c.URL = "ftp://bridge.example.com" })
	add("query", record, func(c *provider.Callback) { c.URL += "?token=x" })
	add("key has 5 characters", record, func(c *provider.Callback) { c.Key = "short" })
	add("letters and digits", record, func(c *provider.Callback) { c.Key = key + "-" })
	add("sign_type", record, func(c *provider.Callback) { c.SignType = "SHA1" })
	add("events", record, func(c *provider.Callback) { c.Events = []string{"RECORD_PAUSE"} })
	add("call_back_area", stream, func(c *provider.Callback) { c.Area = "mars" })
	for problem, wanted := range cases {
		_, err := c.Create(t.Context(), wanted)
		if err == nil || !strings.Contains(err.Error(), problem) || strings.Contains(err.Error(), key.Reveal()) {
			t.Errorf("%s: %v", problem, err)
		}
	}
}
