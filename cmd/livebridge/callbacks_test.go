package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"livebridge/bridge/provider"
	"livebridge/bridge/provider/providertest"
)

const (
	emulatedDomain = "push.example.com"
	emulatedKey    = "0123456789abcdef0123456789abcdef"
	rotatedKey     = "fedcba9876543210fedcba9876543210"
)

// account is an account at an emulated provider, and the flags that lead to it.
type account struct {
	*providertest.Provider
	url      string
	settings []string // environment of the commands, beside that of the process
}

// emulated is the account of the emulated provider.
func emulated() providertest.Config {
	return providertest.Config{AccessKey: "AKEXAMPLE", SecretKey: "secret-of-the-access-key", Project: "0123456789abcdef",
		Domains: []string{emulatedDomain, "other.example.com"}}
}

// setCredentials puts those of the emulated account into the environment of this process, where the SDK reads them.
func setCredentials() (err error) {
	c := emulated()
	for name, text := range map[string]string{"AK": c.AccessKey, "SK": c.SecretKey, "PROJECT_ID": c.Project,
		"SECURITY_TOKEN": "", "IDP_ID": "", "ID_TOKEN_FILE": ""} {
		err = errors.Join(err, os.Setenv("HUAWEICLOUD_SDK_"+name, text))
	}
	return err
}

// newAccount starts an emulated provider. Its key of callbacks is in CALLBACK_KEY.
func newAccount(t *testing.T) *account {
	t.Helper()
	p := providertest.New(emulated())
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return &account{p, server.URL, []string{"CALLBACK_KEY=" + emulatedKey}}
}

// set gives the commands settings, those of a service that is started with a.settings.
func (a *account) set(settings map[string]string) {
	for name, text := range settings {
		a.settings = append(a.settings, prefix+name+"="+text)
	}
}

// callbacks runs livebridge callbacks; no key may ever be printed.
func (a *account) callbacks(t *testing.T, args ...string) (out, errOut string, code int) {
	t.Helper()
	out, errOut, code = commandWith(t, a.settings, append(append([]string{"callbacks"}, args...), "--endpoint", a.url)...)
	for _, key := range []string{emulatedKey, rotatedKey, "secret-of-the-access-key"} {
		if strings.Contains(out+errOut, key) {
			t.Errorf("%v prints a key: %s%s", args, out, errOut)
		}
	}
	return out, errOut, code
}

// must runs livebridge callbacks successfully and returns its output.
func (a *account) must(t *testing.T, line string) string {
	t.Helper()
	out, errOut, code := a.callbacks(t, strings.Fields(line)...)
	if code != exitDone {
		t.Fatalf("%s: exit code %d: %s", line, code, errOut)
	}
	return out
}

// fails runs livebridge callbacks, which must fail with this exit code and a part of the message.
func (a *account) fails(t *testing.T, line string, want int, part string) {
	t.Helper()
	_, errOut, code := a.callbacks(t, strings.Fields(line)...)
	if code != want || !strings.Contains(errOut, part) {
		t.Errorf("%s: exit code %d, want %d and %q: %s", line, code, want, part, errOut)
	}
}

// TestEveryKindIsManaged runs every subcommand of every kind.
func TestEveryKindIsManaged(t *testing.T) {
	a := newAccount(t)
	const url = " --url https://bridge.example.com/x --key-env CALLBACK_KEY"
	a.must(t, "stream set "+emulatedDomain+url+" --call-back-area outside_mainland_china")
	a.must(t, "record create "+emulatedDomain+"/**"+url)
	a.must(t, "record create "+emulatedDomain+"/vip"+url+" --events RECORD_START,RECORD_OVER")
	a.must(t, "snapshot set "+emulatedDomain+"/live"+url+" --bucket pictures --location cn-north-4")
	a.must(t, "rtc-record set 5fd6f2e5example"+url)
	if got := a.Registered(); len(got) != 5 || got[1].App != "*" || len(got[1].Events) != 5 ||
		got[1].SignType != provider.SignHMAC || got[2].Events[0] != "RECORD_START" || got[3].Pictures.Interval != 10 {
		t.Fatalf("registered %+v", got)
	}
	a.must(t, "stream set "+emulatedDomain+" --url https://other.example.com/x")
	a.must(t, "record update "+emulatedDomain+"/vip --sign-type MD5 --key-env CALLBACK_KEY")
	a.must(t, "snapshot set "+emulatedDomain+"/live --interval 20")
	for _, c := range a.Registered() {
		if c.Key.Reveal() != emulatedKey || c.URL == "" {
			t.Errorf("an update changed what it was not told to: %+v", c)
		}
	}
	for _, line := range []string{"stream show " + emulatedDomain, "record show " + emulatedDomain + "/*",
		"snapshot show " + emulatedDomain + "/live", "rtc-record show 5fd6f2e5example", "record list",
		"snapshot list " + emulatedDomain, "list --domain " + emulatedDomain + " --rtc-app 5fd6f2e5example"} {
		for _, format := range []string{"table", "json", "yaml"} {
			if out := a.must(t, line+" --output "+format); !strings.Contains(out, "https://") {
				t.Errorf("%s --output %s: %s", line, format, out)
			}
		}
	}
	for _, line := range []string{"stream delete " + emulatedDomain, "record delete " + emulatedDomain + "/vip",
		"snapshot delete " + emulatedDomain + "/live"} {
		a.fails(t, line, exitUsage, "--yes")
		a.must(t, line+" --yes")
		a.fails(t, line+" --yes", exitFailed, "is not registered")
	}
	if got := a.Registered(); len(got) != 3 || got[1].URL != "" {
		t.Errorf("left %+v", got)
	}
}

// TestListShowsOneJSONObjectPerCallback: elsewhere than on a terminal; keys are ids, or said to be hidden.
func TestListShowsOneJSONObjectPerCallback(t *testing.T) {
	a := newAccount(t)
	a.must(t, "stream set "+emulatedDomain+" --url https://bridge.example.com/live/stream --key-env CALLBACK_KEY")
	a.must(t, "record create "+emulatedDomain+"/* --url https://bridge.example.com/live/record --key-env CALLBACK_KEY")
	keys := map[string]string{"stream": provider.Key(emulatedKey).String(), "record": "not shown by the provider"}
	for line := range strings.Lines(a.must(t, "list")) { // the domain is that of the recording callback
		var c struct{ Kind, Domain, URL, Key string }
		if err := json.Unmarshal([]byte(line), &c); err != nil || c.Domain != emulatedDomain || c.Key != keys[c.Kind] {
			t.Errorf("%v: %s", err, line)
		}
		delete(keys, c.Kind)
	}
	if len(keys) > 0 {
		t.Errorf("not listed: %v", keys)
	}
}

// TestMD5AndMissingKeysAreWarnedOf on standard error.
func TestMD5AndMissingKeysAreWarnedOf(t *testing.T) {
	a := newAccount(t)
	for line, want := range map[string]string{
		"record create push.example.com/a --key-env CALLBACK_KEY --sign-type MD5": "MD5 signs no field",
		"record create push.example.com/b --no-key":                               "not signed",
		"stream set push.example.com --key-env CALLBACK_KEY":                      "plain HTTP",
	} {
		_, errOut, code := a.callbacks(t, strings.Fields(line+" --url http://b.example.com")...)
		if code != exitDone || !strings.Contains(errOut, want) {
			t.Errorf("%s: exit code %d: %s", line, code, errOut)
		}
	}
}

// TestMistakesWithCallbacksAreNamed: what the user can do is in the message.
func TestMistakesWithCallbacksAreNamed(t *testing.T) {
	a := newAccount(t)
	a.must(t, "record create "+emulatedDomain+"/live --url https://b.example.com --key-env CALLBACK_KEY")
	t.Setenv("EMPTY", "")
	const url = " --url https://b.example.com"
	for line, want := range map[string]string{
		"record show push.example.com":                                   "is not DOMAIN/APP",
		"record show push.example.com/none":                              "is not registered",
		"record show":                                                    "needs a DOMAIN/APP",
		"record update push.example.com/live":                            "--key-file or --key-env",
		"record create push.example.com/live":                            "use update",
		"record create push.example.com/x --no-key":                      "url \"\"",
		"record create push.example.com/x --no-key --key-env K" + url:    "use one of",
		"stream set push.example.com --key-env EMPTY" + url:              "environment variable EMPTY: is empty",
		"stream set push.example.com --key-file /absent" + url:           "file /absent",
		"stream set elsewhere.example.com --no-key" + url:                "check that the domain is an ingest domain",
		"stream set push.example.com --call-back-area mars" + url:        "call_back_area",
		"snapshot set push.example.com/live --location cn-north-4" + url: "bucket",
		"snapshot list":     "name it",
		"apply":             "set --file",
		"recordd list":      "did you mean record?",
		"list --timeout 0s": "--timeout",
	} {
		_, errOut, code := a.callbacks(t, strings.Fields(line)...)
		if code == exitDone || !strings.Contains(errOut, want) {
			t.Errorf("%s: exit code %d: %s", line, code, errOut)
		}
	}
	if _, errOut, code := runCommand(t, "callbacks", "list"); code != exitUsage || !strings.Contains(errOut, "--region") {
		t.Errorf("without a region: exit code %d: %s", code, errOut)
	}
}

// TestTheProvidersFailuresAreInWords: what a wrong access key, an unknown region, throttling, a failure of the provider
// and no answer look like.
func TestTheProvidersFailuresAreInWords(t *testing.T) {
	faulty := func(f providertest.Fault) func(*testing.T, *account) {
		return func(_ *testing.T, a *account) { a.Fail(f) }
	}
	for name, c := range map[string]struct {
		prepare func(*testing.T, *account)
		flags   string
		want    []string
	}{
		"wrong access key": {func(t *testing.T, _ *account) { t.Setenv("HUAWEICLOUD_SDK_AK", "AKWRONG") }, "",
			[]string{"status 401", "error_code APIGW.0301", "request id emulated-", "check the access key"}},
		"unknown region": {func(_ *testing.T, a *account) { a.url = "" }, "--region eu-west-0",
			[]string{"eu-west-0", "cn-north-4"}},
		"throttled": {faulty(providertest.Throttled()), "", []string{"status 429", "wait a minute"}},
		"broken":    {faulty(providertest.Broken()), "", []string{"status 500", "report the request id"}},
		"no answer": {faulty(providertest.Silent()), "--timeout 50ms", []string{"no response within 50ms"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			c.prepare(t, a)
			_, errOut, code := a.callbacks(t, strings.Fields("record list "+c.flags)...)
			if code != exitFailed || strings.Count(errOut, "\n") != 1 {
				t.Errorf("exit code %d: %s", code, errOut)
			}
			for _, part := range c.want {
				if !strings.Contains(errOut, part) {
					t.Errorf("%q lacks %q", errOut, part)
				}
			}
		})
	}
}

// wantedFile writes a file of wanted callbacks and returns its path.
func wantedFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "callbacks.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const twoCallbacks = `
callbacks:
  - {kind: stream, domain: push.example.com, url: "https://b.example.com/live/stream", key: {env: CALLBACK_KEY}}
  - kind: record
    domain: push.example.com
    app: "*"
    url: https://b.example.com/live/record
    key: {env: CALLBACK_KEY}
`

// TestApply registers a file in the steps of its users: see, refuse, register, again, in CI.
func TestApply(t *testing.T) {
	a := newAccount(t)
	path := wantedFile(t, twoCallbacks)
	step := func(line string, code int, out, errOut string) {
		t.Helper()
		gotOut, gotErr, gotCode := a.callbacks(t, append(strings.Fields(line), "-f", path)...)
		if gotCode != code || !strings.Contains(gotOut, out) || !strings.Contains(gotErr, errOut) {
			t.Errorf("%s: exit code %d\n%s%s", line, gotCode, gotOut, gotErr)
		}
	}
	step("diff", exitFailed, `"action":"create"`, "2 differences")
	step("apply --dry-run -o table", exitDone, "+ stream push.example.com\n    url: https://b.example.com/live/stream",
		"2 changes would")
	step("apply", exitUsage, "", "--yes")
	if len(a.Registered()) != 0 {
		t.Fatal("changed without --yes")
	}
	step("apply --yes", exitDone, "", "2 changes made")
	step("apply --yes", exitDone, "", "nothing to change")
	step("diff", exitDone, "", "")
	a.settings = append(a.settings, "CALLBACK_KEY="+rotatedKey)
	step("diff -o table", exitFailed, "~ stream push.example.com\n    key: id:", "1 difference;")
	a.Fail(providertest.Fault{Method: http.MethodPut, After: 1, Status: 500, Times: 1})
	step("apply --yes --register-keys", exitFailed, "", "1 of 2 changes made; run apply again")
	step("apply --yes --register-keys", exitDone, "", "1 change made")
	path = wantedFile(t, "domains: [push.example.com]\ncallbacks: []\n")
	step("apply --yes --keep-others", exitDone, "", "nothing to change")
	step("apply --yes -o yaml", exitDone, "action: delete", "2 changes made")
	if left := a.Registered(); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
}

// TestExportIsWhatApplyReads: a file that is exported has no difference, once its variables are set.
func TestExportIsWhatApplyReads(t *testing.T) {
	a := newAccount(t)
	a.must(t, "apply --yes -f "+wantedFile(t, twoCallbacks))
	a.must(t, "snapshot set "+emulatedDomain+
		"/live --url https://b.example.com/s --bucket b --location cn-north-4 --no-key")
	text := a.must(t, "export --domain "+emulatedDomain)
	for _, name := range []string{"KEY_RECORD_PUSH_EXAMPLE_COM_ALL", "KEY_STREAM_PUSH_EXAMPLE_COM"} {
		if !strings.Contains(text, name) {
			t.Error(text)
		}
	}
	t.Setenv("KEY_RECORD_PUSH_EXAMPLE_COM_ALL", emulatedKey)
	t.Setenv("KEY_STREAM_PUSH_EXAMPLE_COM", emulatedKey)
	a.must(t, "diff -f "+wantedFile(t, text))
}
