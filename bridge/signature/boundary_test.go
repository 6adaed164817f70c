package signature_test

import (
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// TestErrorNamesTheKeyRules: an error says what the provider accepts, kind by kind.
func TestErrorNamesTheKeyRules(t *testing.T) {
	short := []string{"short"}
	for want, cfg := range map[string]signature.Config{
		"stream key 1 has 5 characters; the provider accepts 32 to 128 characters": {
			Stream: short},
		"record key 1 has 5 characters; the provider accepts at least 32 characters, letters and digits only": {
			Record: short},
		"rtc-record key 1 has 5 characters; the provider accepts 32 to 64 characters": {RTC: short},
		"rule 1: the domain": {Rules: []signature.Rule{
			{Kind: bridge.KindStream, Domain: "no host", App: "live", Keys: []string{key}}}},
	} {
		if _, err := signature.NewRing(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestEveryLetterOfARecordingsKey: letters and digits alone, the first and last of each included.
func TestEveryLetterOfARecordingsKey(t *testing.T) {
	const plain = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for c := rune(0x20); c < 0x180; c++ {
		_, err := signature.NewRing(signature.Config{Record: []string{strings.Repeat("k", 32) + string(c) + "k"}})
		if taken := strings.ContainsRune(plain, c); (err == nil) != taken {
			t.Errorf("%q: %v", c, err)
		}
	}
}

// TestNamesOfRules: an app has 1 to 255 bytes; a SparkRTC domain is an app_id, which need not be a host name.
func TestNamesOfRules(t *testing.T) {
	long := strings.Repeat("a", 255)
	for _, tt := range []struct {
		kind        bridge.Kind
		domain, app string
		taken       bool
	}{
		{bridge.KindStream, "push.example.com", long, true}, {bridge.KindStream, "push.example.com", long + "a", false},
		{bridge.KindStream, "push.example.com", "", false}, {bridge.KindStream, "push_example/com", "live", false},
		{bridge.KindRTCRecord, "app_id/1 x", "*", true}, {bridge.KindRTCRecord, long, "*", true},
		{bridge.KindRTCRecord, long + "a", "*", false},
		{bridge.KindRTCRecord, "", "*", false}, {bridge.KindRTCRecord, "a*", "*", false},
	} {
		_, err := signature.NewRing(signature.Config{Rules: []signature.Rule{
			{Kind: tt.kind, Domain: tt.domain, App: tt.app, Keys: []string{key}}}})
		if (err == nil) != tt.taken {
			t.Errorf("%v, domain of %d and app of %d bytes: %v", tt.kind, len(tt.domain), len(tt.app), err)
		}
	}
}

// TestErrorNamesTheDigits: how many digits a signature has depends on the active scheme.
func TestErrorNamesTheDigits(t *testing.T) {
	for scheme, want := range map[bridge.Scheme]string{bridge.SchemeHMAC: "64 hex digits",
		bridge.SchemeHMACLegacy: "64 hex digits", bridge.SchemeMD5: "32 hex digits"} {
		c := recordStart()
		c.Sign = "nonsense"
		_, _, err := newRing(t, func(c *signature.Config) { c.RecordScheme = scheme }).Verify(c, expiry)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", scheme, err, want)
		}
	}
}

// TestDiagnosisNamesTheKey: a SparkRTC callback signed with a key that does not apply to its app_id.
func TestDiagnosisNamesTheKey(t *testing.T) {
	ring := newRing(t, func(c *signature.Config) {
		c.RTC = []string{secret("0")}
		c.Rules = []signature.Rule{rule(bridge.KindRTCRecord, "AppOne", "*", "1")}
	})
	for id, want := range map[string]string{"AppOne": "the key " + signature.KeyID(secret("0")) +
		" of rtc-record callbacks, which does not apply to this one", "other": ""} {
		c := rtcComplete()
		c.AppID = id
		c.Sign = signature.SignRTC(secret("0"), c)
		if got := ring.ExplainRTC(c).Diagnosis; (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

// TestExplainRTCWithoutAKey: no key applies, and still the diagnosis says whose signature it is.
func TestExplainRTCWithoutAKey(t *testing.T) {
	for _, tt := range []struct {
		sign, want string
	}{{signature.SignRTC(secret("1"), rtcComplete()), signature.KeyID(secret("1"))}, {"no signature at all", ""}} {
		ring := newRing(t, func(c *signature.Config) { c.RTC, c.Stream = nil, []string{secret("1")} })
		c := rtcComplete()
		c.Sign = tt.sign
		if e := ring.ExplainRTC(c); len(e.Attempts) > 0 || (e.Diagnosis == "") != (tt.want == "") ||
			!strings.Contains(e.Diagnosis, tt.want) {
			t.Errorf("%+v, want a diagnosis with %q", e, tt.want)
		}
	}
}
