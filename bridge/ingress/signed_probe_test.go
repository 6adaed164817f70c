package ingress_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/probe"
	"livebridge/bridge/signature"
)

// routeOf is the path of a kind's callbacks.
func routeOf(k bridge.Kind) string {
	return map[bridge.Kind]string{bridge.KindStream: "/live/stream", bridge.KindRecord: "/live/record",
		bridge.KindSnapshot: "/live/snapshot/" + token, bridge.KindRTCRecord: "/rtc/record"}[k]
}

// signedProbe is a good probe of a kind.
func signedProbe(k bridge.Kind) signature.SignedProbe {
	secret := key
	if k == bridge.KindSnapshot {
		secret = token
	}
	return signature.NewSignedProbe(secret, signature.ProbeClaim{Kind: k, Domain: "push.example.com", App: "live",
		Time: clock().Unix(), Nonce: "n"})
}

func sendProbe(b *harness, k bridge.Kind, p signature.SignedProbe) *httptest.ResponseRecorder {
	return b.send(post(routeOf(k), string(probe.Encode(p.ProbeClaim))))
}

// nothingButProbes: no callback was counted, stored or logged.
func nothingButProbes(t *testing.T, b *harness) {
	t.Helper()
	for _, name := range append(counters(), "livebridge_callbacks_ignored_total") {
		if n := b.total(t, name); n != 0 {
			t.Errorf("%s is %v", name, n)
		}
	}
	for _, u := range b.ring.Keys() {
		if u.Count != 0 {
			t.Errorf("counted as a use of a key: %+v", u)
		}
	}
	if b.journal.count() != 0 || b.log.Len() != 0 {
		t.Errorf("%d in the journal, logged: %v", b.journal.count(), b.log.All())
	}
	for _, k := range bridge.Kinds() {
		if at := b.gauge(t, "livebridge_last_callback_timestamp_seconds", k.String()); at != 0 {
			t.Errorf("last %v callback at %v", k, at)
		}
	}
}

// TestSignedProbe: a probe of every kind is proved to be received and counted apart; it becomes no event, however often
// it is sent.
func TestSignedProbe(t *testing.T) {
	b := newHarness(t, nil)
	for _, k := range bridge.Kinds() {
		p := signedProbe(k)
		for range 2 {
			if w := sendProbe(b, k, p); w.Code != 200 || w.Body.String() != string(probe.Answer(p)) {
				t.Errorf("%v: %d %s", k, w.Code, w.Body)
			}
		}
		if n := b.counted(t, "livebridge_signed_probes_total", k.String(), "answered"); n != 2 {
			t.Errorf("%v: %v probes", k, n)
		}
	}
	nothingButProbes(t, b)
}

// TestSignedProbeRefused: a probe that would not be a good callback is refused, with the reason, and counted apart.
func TestSignedProbeRefused(t *testing.T) {
	b := newHarness(t, func(s *setup) { s.ring.Domains, s.cfg.DomainsListed = []string{"push.example.com"}, true })
	sign := func(change func(*signature.ProbeClaim)) signature.SignedProbe {
		c := signedProbe(bridge.KindStream).ProbeClaim
		change(&c)
		return signature.NewSignedProbe(key, c)
	}
	forged := signedProbe(bridge.KindStream)
	forged.Nonce = "other"
	for name, tt := range map[string]struct {
		probe   signature.SignedProbe
		status  int
		message string
	}{
		"forged": {forged, 401, "not signed with a key"},
		"old":    {sign(func(c *signature.ProbeClaim) { c.Time -= 301 }), 401, "time is too far"},
		"domain": {sign(func(c *signature.ProbeClaim) { c.Domain = "other.example.com" }), 403, "domain is not allowed"},
		"route":  {signedProbe(bridge.KindRecord), 400, "for record callbacks and this is the route of stream"},
	} {
		before := b.counted(t, "livebridge_signed_probes_total", "stream", "refused")
		w := sendProbe(b, bridge.KindStream, tt.probe)
		if a := parse(t, w); w.Code != tt.status || !strings.Contains(a.Message, tt.message) ||
			strings.Contains(a.Message, ";") {
			t.Errorf("%s: %d %+v", name, w.Code, a)
		}
		if n := b.counted(t, "livebridge_signed_probes_total", "stream", "refused"); n != before+1 {
			t.Errorf("%s: %v refused", name, n)
		}
	}
	nothingButProbes(t, b)
}

// TestCallbacksAreNoProbes: a signed SparkRTC callback whose body looks like a probe goes the way of callbacks, and so
// does everything that only resembles a probe.
func TestCallbacksAreNoProbes(t *testing.T) {
	b := newHarness(t, nil)
	body := string(probe.Encode(signedProbe(bridge.KindRTCRecord).ProbeClaim))
	if w := b.send(rtc(body, stamp)); w.Code != 200 || b.journal.count() != 1 {
		t.Errorf("%d %s, %d in the journal", w.Code, w.Body, b.journal.count())
	}
	if a := b.journal.arrivals[0]; a.Reason != bridge.ReasonMalformed {
		t.Errorf("%+v", a)
	}
	beside := strings.TrimSuffix(good(), "}") + `,"livebridge_probe":{"kind":"stream"}}`
	if w := b.send(post("/live/stream", beside)); w.Code != 200 || b.journal.count() != 2 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if n := b.total(t, "livebridge_signed_probes_total"); n != 0 {
		t.Errorf("%v probes", n)
	}
}

// TestLastCallback: the time of the last callback that was answered 200, kind by kind.
func TestLastCallback(t *testing.T) {
	now := clock()
	b := newHarness(t, func(s *setup) { s.cfg.Now = func() time.Time { return now } })
	const name = "livebridge_last_callback_timestamp_seconds"
	b.send(post("/live/stream", good()))
	now = now.Add(1500 * time.Millisecond)
	b.send(post("/live/record", recordBody(bridge.SchemeHMAC)))
	b.send(post("/live/stream", strings.Replace(good(), "PUBLISH", "PUBLISH_DONE", 1))) // 401
	first := float64(clock().Unix())
	for kind, want := range map[string]float64{"stream": first, "record": first + 1.5, "snapshot": 0, "rtc-record": 0} {
		if got := b.gauge(t, name, kind); got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
}

// TestSenderAndService: what a Sender sends is what a Server answers, through a connection.
func TestSenderAndService(t *testing.T) {
	b := newHarness(t, func(s *setup) { s.cfg.Now = nil })
	server := httptest.NewServer(b.Handler())
	defer server.Close()
	var sender probe.Sender
	for _, k := range bridge.Kinds() {
		c := sender.NewClaim()
		c.Kind, c.Domain, c.App = k, "push.example.com", signature.Any
		for _, p := range b.ring.SignProbes(c, token) {
			if o := sender.Send(t.Context(), server.URL+routeOf(k), p); o.Failure != "" || o.Status != 200 {
				t.Errorf("%v: %+v", k, o)
			}
			p.Proof = otherDigit(p.Proof[0]) + p.Proof[1:]
			if o := sender.Send(t.Context(), server.URL+routeOf(k), p); o.Failure != probe.FailureProof {
				t.Errorf("%v: %+v", k, o)
			}
		}
	}
}

// otherDigit returns another hex digit than the given one.
func otherDigit(digit byte) string {
	if digit == '0' {
		return "1"
	}
	return "0"
}
