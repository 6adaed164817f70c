package ingress_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"livebridge/bridge"
)

// counters are all that a request can be counted as.
func counters() []string {
	return []string{"livebridge_callbacks_accepted_total", "livebridge_callbacks_refused_total",
		"livebridge_callbacks_lost_total",
		"livebridge_unknown_requests_total", "livebridge_probes_total"}
}

// TestHealth: /healthz is what the server is told of its readiness, whoever asks and below PATH_PREFIX too; nothing is
// logged or counted of it.
func TestHealth(t *testing.T) {
	var unready error
	b := newHarness(t, func(s *setup) {
		s.cfg.PathPrefix, s.cfg.Ready = "/tenant", func() error { return unready }
		s.cfg.AllowSources = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}
	})
	for _, tt := range []struct {
		method, path string
		unready      error
		status       int
		body         string
	}{
		{"GET", "/healthz", nil, 200, "ok\n"},
		{"HEAD", "/healthz", nil, 200, ""},
		{"GET", "/tenant/healthz", nil, 200, "ok\n"},
		{"GET", "/healthz", bridge.ErrStopping, 503, "shutting down\n"},
		{"GET", "/healthz", errors.New("full"), 503, "full\n"},
		{"POST", "/healthz", nil, 405, ""},
	} {
		unready = tt.unready
		w := b.send(httptest.NewRequest(tt.method, tt.path, nil))
		if body := w.Body.String(); w.Code != tt.status || tt.method != http.MethodHead && body != tt.body {
			t.Errorf("%+v: %d %q", tt, w.Code, body)
		}
	}
	for _, name := range counters() {
		if n := b.total(t, name); n != 0 {
			t.Errorf("%s is %v", name, n)
		}
	}
	if b.log.Len() != 0 {
		t.Errorf("logged: %v", b.log.All())
	}
}

// TestProbes: a load balancer that looks at a route of callbacks is answered 200; nothing goes to the journal or the
// log, and no callback is counted.
func TestProbes(t *testing.T) {
	b := newHarness(t, nil)
	for path, kind := range map[string]string{"/live/stream": "stream", "/live/record": "record",
		"/rtc/record":             "rtc-record",
		"/live/snapshot/" + token: "snapshot"} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := b.send(httptest.NewRequest(method, path, nil))
			if body := w.Body.String(); w.Code != 200 || method == http.MethodGet && body != `{"status":1,"result":"probe"}` {
				t.Errorf("%s %s: %d %q", method, path, w.Code, body)
			}
		}
		if n := b.counted(t, "livebridge_probes_total", kind); n != 2 {
			t.Errorf("%s: %v probes", kind, n)
		}
	}
	if sum := b.total(t, "livebridge_callbacks_accepted_total") +
		b.total(t, "livebridge_unknown_requests_total"); sum != 0 {
		t.Errorf("%v counted as something else", sum)
	}
	if b.journal.count() != 0 || b.log.Len() != 0 {
		t.Errorf("%d in the journal, logged: %v", b.journal.count(), b.log.All())
	}
}

// TestScannersAreApart: what is no callback is not counted as a rejected one.
func TestScannersAreApart(t *testing.T) {
	b := newHarness(t, nil)
	b.send(post("/wp-login.php", "x"))
	b.send(httptest.NewRequest(http.MethodPut, "/live/stream", strings.NewReader("x")))
	for _, code := range []string{"404", "405"} {
		if n := b.counted(t, "livebridge_unknown_requests_total", code); n != 1 {
			t.Errorf("%s is counted %v times", code, n)
		}
	}
	if n := b.total(t, "livebridge_callbacks_refused_total"); n != 0 {
		t.Errorf("%v counted as rejected callbacks", n)
	}
}

// TestOptions: OPTIONS names the methods that a 405 names.
func TestOptions(t *testing.T) {
	b := newHarness(t, nil)
	for _, path := range []string{"/live/stream", "/live/record", "/rtc/record", "/live/snapshot/x"} {
		options := b.send(httptest.NewRequest(http.MethodOptions, path, nil))
		put := b.send(httptest.NewRequest(http.MethodPut, path, nil))
		allow := options.Header().Get("Allow")
		if options.Code != 204 || put.Code != 405 || allow != put.Header().Get("Allow") ||
			allow != "OPTIONS, GET, HEAD, POST" {
			t.Errorf("%s: OPTIONS %d %q, PUT %d %q", path, options.Code, allow, put.Code, put.Header().Get("Allow"))
		}
	}
}

// TestStrangersGetNoAdvice: no answer names a setting; the log does.
func TestStrangersGetNoAdvice(t *testing.T) {
	b := newHarness(t, func(s *setup) {
		s.cfg.MaxBody, s.ring.Domains, s.cfg.DomainsListed = 1000, []string{"other.example.com"}, true
		s.cfg.AllowSources = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	outside := post("/live/stream", good())
	outside.RemoteAddr = "198.51.100.7:1"
	for setting, r := range map[string]*http.Request{
		"MAX_BODY":      post("/live/stream", strings.Repeat(" ", 1001)),
		"DOMAINS":       post("/live/stream", good()),
		"ALLOW_SOURCES": outside,
	} {
		w := b.send(r)
		if body := w.Body.String(); w.Code/100 != 4 || strings.Contains(body, setting) || strings.Contains(body, ";") {
			t.Errorf("%d %s", w.Code, body)
		}
		lines := b.log.TakeAll()
		if len(lines) != 1 || !strings.Contains(lines[0].ContextMap()["detail"].(string), setting) {
			t.Errorf("%s is not in the log: %v", setting, lines)
		}
	}
}

// TestReasonsAreThereFromTheStart: a counter that begins with its first increase shows no increase.
func TestReasonsAreThereFromTheStart(t *testing.T) {
	b := newHarness(t, nil)
	families, err := b.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := make(map[string]int)
	for _, f := range families {
		series[f.GetName()] = len(f.GetMetric())
	}
	for name, want := range map[string]int{
		"livebridge_callbacks_refused_total":   4*15 + 2, // the source, and the token of snapshots
		"livebridge_callbacks_lost_total":      4*5 + 2,  // of requests, and of connections
		"livebridge_unknown_requests_total":    2,
		"livebridge_probes_total":              4,
		"livebridge_callbacks_accepted_total":  4,
		"livebridge_callbacks_ignored_total":   4,
		"livebridge_callback_duration_seconds": 4,
	} {
		if series[name] != want {
			t.Errorf("%s has %d series, want %d", name, series[name], want)
		}
	}
}
