package signature_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

const (
	probeTime = 1790000000
	token     = "the-token"
)

func probeClaim(k bridge.Kind) signature.ProbeClaim {
	c := signature.ProbeClaim{Kind: k, Domain: "push.example.com", App: "live", Time: probeTime, Nonce: "0123456789abcdef"}
	c.Sign = signature.SignProbe(key, c)
	return c
}

func probeRing(t *testing.T, change func(*signature.Config)) *signature.Ring {
	t.Helper()
	cfg := signature.Config{Stream: []string{otherKey, key}, Record: []string{key}, RTC: []string{key}, Skew: time.Minute,
		MaxAhead: time.Hour, RTCMaxAge: 24 * time.Hour}
	if change != nil {
		change(&cfg)
	}
	ring, err := signature.NewRing(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// TestProbe: a probe is verified with any key of its kind, names that key, proves it, and counts as no use of it.
func TestProbe(t *testing.T) {
	ring := probeRing(t, nil)
	for _, k := range []bridge.Kind{bridge.KindStream, bridge.KindRecord, bridge.KindRTCRecord} {
		c := probeClaim(k)
		got, err := ring.VerifyProbe(c, token, time.Unix(probeTime+299, 0))
		if err != nil || got.Key != signature.KeyID(key) || got.Proof != signature.ProveProbe(key, c) || got.Proof == c.Sign {
			t.Errorf("%v: %+v %v", k, got, err)
		}
	}
	for _, u := range ring.Keys() {
		if u.Count != 0 || u.Last != 0 {
			t.Errorf("counted as a use: %+v", u)
		}
	}
}

// TestProbeCoversEverything: each member is signed, and so are the boundaries between them.
func TestProbeCoversEverything(t *testing.T) {
	ring := probeRing(t, nil)
	for name, change := range map[string]func(*signature.ProbeClaim){
		"kind":     func(c *signature.ProbeClaim) { c.Kind = bridge.KindRecord },
		"domain":   func(c *signature.ProbeClaim) { c.Domain = "push2.example.com" },
		"app":      func(c *signature.ProbeClaim) { c.App = "live2" },
		"time":     func(c *signature.ProbeClaim) { c.Time++ },
		"nonce":    func(c *signature.ProbeClaim) { c.Nonce = "1123456789abcdef" },
		"sign":     func(c *signature.ProbeClaim) { c.Sign = "1" + c.Sign[1:] },
		"no sign":  func(c *signature.ProbeClaim) { c.Sign = "" },
		"boundary": func(c *signature.ProbeClaim) { c.Domain, c.App = c.Domain+"l", "ive" },
	} {
		c := probeClaim(bridge.KindStream)
		change(&c)
		checkProbeRefused(t, name, ring, c, probeTime, signature.ReasonMismatch)
	}
	c := probeClaim(bridge.KindStream)
	c.App = "a0:live"
	c.Sign = signature.SignProbe(key, c)
	c.Domain, c.App = c.Domain+"0:a", "live"
	checkProbeRefused(t, "boundary with a separator", ring, c, probeTime, signature.ReasonMismatch)
}

func checkProbeRefused(t *testing.T, name string, ring *signature.Ring, c signature.ProbeClaim, now int64,
	reason string) {
	t.Helper()
	got, err := ring.VerifyProbe(c, "", time.Unix(now, 0))
	var e *signature.Error
	if !errors.As(err, &e) || e.Reason != reason || got != (signature.SignedProbe{}) {
		t.Errorf("%s: %+v %v, want %s", name, got, err, reason)
	}
}

// TestProbeRefusals: an old probe, one of the future, and those whose callbacks would be rejected.
func TestProbeRefusals(t *testing.T) {
	listed := probeRing(t, func(c *signature.Config) {
		c.Domains = []string{"other.example.com"}
		c.Rules = []signature.Rule{
			{Kind: bridge.KindRecord, Domain: "push.example.com", App: "vod", Keys: []string{key}},
		}
	})
	plain := probeRing(t, func(c *signature.Config) { c.Record = nil })
	c := probeClaim(bridge.KindStream)
	checkProbeRefused(t, "old", plain, c, probeTime+301, signature.ReasonExpired)
	checkProbeRefused(t, "ahead", plain, c, probeTime-301, signature.ReasonExpired)
	checkProbeRefused(t, "no key", plain, probeClaim(bridge.KindRecord), probeTime, signature.ReasonNoKey)
	checkProbeRefused(t, "snapshot", plain, probeClaim(bridge.KindSnapshot), probeTime, signature.ReasonNoKey)
	checkProbeRefused(t, "domain", listed, c, probeTime, signature.ReasonDomain)
	checkProbeRefused(t, "app", listed, probeClaim(bridge.KindRecord), probeTime, signature.ReasonApp)
	anyApp := probeClaim(bridge.KindRecord)
	anyApp.App = signature.Any
	anyApp.Sign = signature.SignProbe(key, anyApp)
	checkProbeRefused(t, "any app", listed, anyApp, probeTime, signature.ReasonDomain) // past the keys
}

// TestProbesAreNoCallbacks: the signature of a probe verifies no callback that could be made of its signed text, and
// that of a callback no probe.
func TestProbesAreNoCallbacks(t *testing.T) {
	ring, c := probeRing(t, nil), probeClaim(bridge.KindStream)
	live := signature.Claim{Kind: bridge.KindStream, Event: "PUBLISH", Domain: c.Domain, App: c.App, Stream: c.Nonce,
		Timestamp: strconv.FormatInt(c.Time, 10), Sign: c.Sign}
	if _, _, err := ring.Verify(live, time.Unix(probeTime, 0)); err == nil {
		t.Error("a probe's signature is taken for a callback's")
	}
	c.Sign = signature.Sign(bridge.SchemeHMAC, key, live)
	checkProbeRefused(t, "a callback's signature", ring, c, probeTime, signature.ReasonMismatch)
	text := "6:stream16:push.example.com4:live10:179000000016:0123456789abcdef"
	for _, rand := range []string{text, "livebridge probe request v1" + text, "livebridge probe request v1"} {
		c.Sign = signature.SignRTC(key, signature.RTCClaim{Rand: rand})
		checkProbeRefused(t, "SparkRTC over the same text", ring, c, probeTime, signature.ReasonMismatch)
	}
}

// TestProbeOfSnapshots: the token of the route is their key, and has no id.
func TestProbeOfSnapshots(t *testing.T) {
	ring := probeRing(t, nil)
	probes := ring.SignProbes(probeClaim(bridge.KindSnapshot), token)
	if len(probes) != 1 || probes[0].Key != "" {
		t.Fatalf("%+v", probes)
	}
	if got, err := ring.VerifyProbe(probes[0].ProbeClaim, token, time.Unix(probeTime, 0)); err != nil || got != probes[0] {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := ring.VerifyProbe(probes[0].ProbeClaim, token+"2", time.Unix(probeTime, 0)); err == nil {
		t.Error("verified with another token")
	}
}

// TestSignProbes: one for each key, those of every app for any app, and none for an app that is not allowed.
func TestSignProbes(t *testing.T) {
	ring := probeRing(t, func(c *signature.Config) {
		c.Rules = []signature.Rule{
			{Kind: bridge.KindRecord, Domain: "push.example.com", App: "vod", Keys: []string{key}},
			{Kind: bridge.KindRecord, Domain: "Push.example.com", App: "live", Keys: []string{key, otherKey}},
		}
	})
	for _, tt := range []struct {
		kind bridge.Kind
		app  string
		want int
	}{
		{bridge.KindStream, "live", 2}, {bridge.KindRecord, "vod", 1}, {bridge.KindRecord, "live", 2},
		{bridge.KindRecord, "*", 2}, {bridge.KindRecord, "show", 0}, {bridge.KindSnapshot, "live", 0},
	} {
		c := probeClaim(tt.kind)
		c.App = tt.app
		probes := ring.SignProbes(c, "")
		if len(probes) != tt.want {
			t.Errorf("%+v: %+v", tt, probes)
		}
		for _, p := range probes {
			if got, err := ring.VerifyProbe(p.ProbeClaim, "", time.Unix(probeTime, 0)); err != nil || got != p {
				t.Errorf("%+v: %+v %v", tt, got, err)
			}
		}
	}
}
