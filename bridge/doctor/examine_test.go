package doctor_test

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/doctor"
	"livebridge/bridge/probe"
	"livebridge/bridge/provider"
	"livebridge/bridge/signature"
)

const (
	key    = "0123456789abcdef0123456789abcdef"
	other  = "ffffffffffffffffffffffffffffffff"
	token  = "the-token"
	domain = "push.example.com"
)

func now() time.Time { return time.Unix(1_790_000_000, 0) }

// world is settings and what was found out; at first nothing is wrong.
type world struct {
	ring     signature.Config
	expected doctor.Expected
	seen     doctor.Seen
}

func good() *world {
	w := &world{
		ring: signature.Config{Stream: []string{key}, Record: []string{key}, RTC: []string{key},
			Domains: []string{domain}},
		expected: doctor.Expected{PathPrefix: "tenant/", SnapshotToken: token},
		seen: doctor.Seen{Now: now(), Domains: []string{domain}, Registered: []provider.Callback{
			{Place: provider.Place{Kind: bridge.KindStream, Domain: domain}, Key: key,
				URL: "https://a.example.com/tenant/live/stream"},
			{Place: provider.Place{Kind: bridge.KindRecord, Domain: domain, App: "*"}, KeyHidden: true,
				URL: "https://a.example.com/tenant/live/record", SignType: provider.SignHMAC, Events: provider.RecordEvents()},
			{Place: provider.Place{Kind: bridge.KindSnapshot, Domain: domain, App: "live"},
				URL: "https://a.example.com/tenant/live/snapshot/" + token},
			{Place: provider.Place{Kind: bridge.KindRTCRecord, App: "app1"}, Key: key,
				URL: "https://a.example.com/tenant/rtc/record"},
		}},
	}
	return w
}

func (w *world) stream() *provider.Callback { return &w.seen.Registered[0] }
func (w *world) record() *provider.Callback { return &w.seen.Registered[1] }

// probed adds the outcome of a probe of the stream callback.
func (w *world) probed(o probe.Outcome) {
	w.seen.Probes = append(w.seen.Probes, doctor.ProbeOutcome{Place: w.stream().Place, Key: "5bc8bc2f", Outcome: o})
}

func (w *world) examine(t *testing.T) []doctor.Finding {
	t.Helper()
	ring, err := signature.NewRing(w.ring)
	if err != nil {
		t.Fatal(err)
	}
	w.expected.Ring = ring
	all := doctor.Examine(w.expected, w.seen)
	for _, f := range all {
		if text := f.Problem + f.Advice + f.Subject; strings.Contains(text, key) || strings.Contains(text, other) ||
			strings.Contains(text, token) || f.Problem == "" {
			t.Errorf("a secret, or nothing: %+v", f)
		}
		if f.Level != doctor.Info && f.Advice == "" && f.Check != doctor.CheckProvider {
			t.Errorf("no advice: %+v", f)
		}
	}
	return all
}

// TestNothingWrong: what is registered as it is expected gives no finding.
func TestNothingWrong(t *testing.T) {
	w := good()
	w.seen.Registered = append(w.seen.Registered, // pictures without a callback
		provider.Callback{Place: provider.Place{Kind: bridge.KindSnapshot, Domain: domain, App: "vod"}})
	if all := w.examine(t); len(all) > 0 || doctor.Wrong(all) {
		t.Errorf("%+v", all)
	}
}

// wrong is one fault with the finding that it must give, alone.
type wrong struct {
	change  func(*world)
	level   doctor.Level
	check   doctor.Check
	problem string
}

func check(t *testing.T, cases map[string]wrong) {
	t.Helper()
	for name, tt := range cases {
		w := good()
		tt.change(w)
		all := w.examine(t)
		if len(all) != 1 || all[0].Level != tt.level || all[0].Check != tt.check ||
			!strings.Contains(all[0].Problem, tt.problem) {
			t.Errorf("%s: %+v", name, all)
		}
		if got := doctor.Wrong(all); got != (tt.level != doctor.Info) || doctor.Wrong(all, tt.check) {
			t.Errorf("%s: wrong %v", name, got)
		}
	}
}

// TestTrust: keys, domains, apps, sign types and events.
func TestTrust(t *testing.T) {
	rule := func(app string) []signature.Rule {
		return []signature.Rule{{Kind: bridge.KindRecord, Domain: domain, App: app, Keys: []string{key}}}
	}
	check(t, map[string]wrong{
		"another key": {func(w *world) { w.stream().Key = other }, doctor.Error, doctor.CheckKey,
			"signed with the key " + signature.KeyID(other) + ", and here is " + signature.KeyID(key)},
		"no key there": {func(w *world) { w.seen.Registered[3].Key = "" }, doctor.Error, doctor.CheckKey,
			"no key is registered"},
		"no key here": {func(w *world) { w.ring.RTC = nil }, doctor.Error, doctor.CheckKey,
			"there is no key for them here"},
		"unsigned": {func(w *world) { w.ring.RTC, w.ring.AcceptUnsigned = nil, true }, doctor.Warning,
			doctor.CheckKey, "anyone can forge"},
		"app": {func(w *world) { w.ring.Rules, w.record().App = rule("vod"), "live" }, doctor.Error,
			doctor.CheckApp, "app is not allowed"},
		"MD5 there": {func(w *world) { w.record().SignType = provider.SignMD5 }, doctor.Error, doctor.CheckSignType,
			"signed by MD5, and here HMACSHA256"},
		"MD5 here": {func(w *world) { w.ring.RecordScheme = bridge.SchemeMD5 }, doctor.Error, doctor.CheckSignType,
			"signed by HMACSHA256, and here MD5"},
		"MD5 in both": {func(w *world) {
			w.record().SignType, w.ring.RecordScheme = provider.SignMD5,
				bridge.SchemeMD5
		}, doctor.Warning, doctor.CheckSignType, "signs no field"},
		"no start": {func(w *world) { w.record().Events = w.record().Events[1:] }, doctor.Warning,
			doctor.CheckRecordStart, "RECORD_START is not subscribed"},
		"the default alone": {func(w *world) { w.record().Events = []string{"RECORD_START", "RECORD_FILE_COMPLETE"} },
			doctor.Warning, doctor.CheckEvents, "RECORD_NEW_FILE_START, RECORD_OVER, RECORD_FAILED"},
		"domain": {func(w *world) {
			w.ring.Domains = []string{"x.example.com"}
			w.seen.Domains, w.seen.Registered = nil, w.seen.Registered[:1]
		}, doctor.Error, doctor.CheckDomain, "domain is not allowed"},
	})
}

// TestCoverage: missing and several callbacks, the provider and instances that do not answer, arrivals.
func TestCoverage(t *testing.T) {
	instance := func(i admin.Instance) func(*world) {
		return func(w *world) {
			w.seen.Registered, w.seen.Domains, w.seen.Instances = w.seen.Registered[:1], nil, []admin.Instance{{}, i}
		}
	}
	check(t, map[string]wrong{
		"nothing for a domain": {func(w *world) { w.seen.Registered = w.seen.Registered[1:] }, doctor.Warning,
			doctor.CheckUnregistered, "no stream callback"},
		"several": {func(w *world) {
			second := *w.record()
			second.App = "live"
			w.seen.Registered = append(w.seen.Registered, second)
		}, doctor.Warning, doctor.CheckSeveral, "registered: *, live"},
		"provider": {func(w *world) { w.seen.Failures, w.seen.Registered = []error{errors.New("no")}, nil },
			doctor.Error, doctor.CheckProvider, "no"},
		"instance": {func(w *world) { w.seen.Missing = []error{errors.New("no")} }, doctor.Error, doctor.CheckInstance,
			"no"},
		"nothing arrived": {instance(admin.Instance{}), doctor.Info, doctor.CheckLastCallback, "no callback has arrived"},
		"arrived": {instance(admin.Instance{LastCallbacks: map[string]time.Time{"stream": now().Add(-90 * time.Second)}}),
			doctor.Info, doctor.CheckLastCallback, "2026-09-21T14:11:50Z, 1m30s ago"},
	})
	w := good()
	instance(admin.Instance{Rejected: map[string]map[string]uint64{"stream": {"mismatch": 3, "expired": 5}}})(w)
	if all := w.examine(t); len(all) != 2 || all[0].Check != doctor.CheckRejected ||
		!strings.HasPrefix(all[0].Problem, "3 ") {
		t.Errorf("%+v", all)
	}
}

// TestWay: URLs, probes and certificates.
func TestWay(t *testing.T) {
	failed := func(failure probe.Failure) func(*world) {
		return func(w *world) { w.probed(probe.Outcome{Failure: failure, Detail: "why", Status: 401}) }
	}
	lasting := func(d time.Duration) *x509.Certificate { return &x509.Certificate{NotAfter: now().Add(d)} }
	check(t, map[string]wrong{
		"no URL": {func(w *world) { w.stream().URL = "" }, doctor.Error, doctor.CheckURL, "calls nothing"},
		"no good URL": {func(w *world) { w.stream().URL = "push.example.com/live/stream" }, doctor.Error, doctor.CheckURL,
			"not an http or https URL"},
		"plain HTTP": {func(w *world) { w.stream().URL = "http://a.example.com/live/stream" }, doctor.Warning,
			doctor.CheckPlainHTTP, "plain HTTP"},
		"another route": {func(w *world) { w.stream().URL = w.record().URL }, doctor.Error, doctor.CheckRoute,
			"does not end with /live/stream"},
		"another token": {func(w *world) { w.expected.SnapshotToken = "another" }, doctor.Error, doctor.CheckRoute,
			"SNAPSHOT_TOKEN"},
		"no token": {func(w *world) { w.expected.SnapshotToken = "" }, doctor.Error, doctor.CheckRoute,
			"SNAPSHOT_TOKEN is empty"},
		"answered": {func(w *world) {
			w.stream().URL = "https://a.example.com/rewritten"
			w.probed(probe.Outcome{Certificate: lasting(999 * time.Hour)})
		},
			doctor.Info, doctor.CheckProbe, "a probe signed with the key 5bc8bc2f"},
		"unreachable": {failed(probe.FailureUnreachable), doctor.Error, doctor.CheckProbe, "cannot be reached: why"},
		"certificate": {failed(probe.FailureCertificate), doctor.Error, doctor.CheckCertificate, "not trusted: why"},
		"redirect":    {failed(probe.FailureRedirect), doctor.Error, doctor.CheckProbe, "redirects (why)"},
		"refused":     {failed(probe.FailureRefused), doctor.Error, doctor.CheckProbe, "rejected with 401: why"},
		"no route": {func(w *world) { w.probed(probe.Outcome{Failure: probe.FailureRefused, Status: 404}) }, doctor.Error,
			doctor.CheckProbe,
			"has no such route"},
		"proof":   {failed(probe.FailureProof), doctor.Error, doctor.CheckProbe, "without the proof"},
		"foreign": {failed(probe.FailureForeign), doctor.Error, doctor.CheckProbe, "something else than livebridge"},
		"URL":     {failed(probe.FailureURL), doctor.Error, doctor.CheckURL, "why"},
		"twice": {func(w *world) { failed(probe.FailureForeign)(w); failed(probe.FailureForeign)(w) }, doctor.Error,
			doctor.CheckProbe, "something else"},
	})
	for left, want := range map[time.Duration]int{13 * 24 * time.Hour: 2, 14 * 24 * time.Hour: 1} {
		w := good()
		w.probed(probe.Outcome{Certificate: lasting(left)})
		w.probed(probe.Outcome{Certificate: lasting(left)})
		if all := w.examine(t); len(all) != want || want == 2 && !strings.Contains(all[0].Problem, "expires in 13 days") {
			t.Errorf("%v: %+v", left, all)
		}
	}
}

// TestWorstFirst: errors come before warnings, and those before the rest.
func TestWorstFirst(t *testing.T) {
	w := good()
	w.stream().URL, w.record().Events = "http://a.example.com/wrong", nil
	w.seen.Instances = []admin.Instance{{}}
	rank := map[doctor.Level]int{doctor.Error: 1, doctor.Warning: 2, doctor.Info: 3}
	all, last := w.examine(t), 0
	for _, f := range all {
		if rank[f.Level] < last {
			t.Errorf("not in order: %+v", all)
		}
		last = rank[f.Level]
	}
	if last != 3 || all[0].Level != doctor.Error {
		t.Errorf("%+v", all)
	}
}
