package signature_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// TestErrorNamesTheKeyRules: an error says what the provider accepts, kind by kind.
func TestErrorNamesTheKeyRules(t *testing.T) {
	short := []string{"short"}
	for want, cfg := range map[string]signature.Config{
		"stream key 1 has 5 characters; the provider accepts 32 to 128 characters":                            {Stream: short},
		"record key 1 has 5 characters; the provider accepts at least 32 characters, letters and digits only": {Record: short},
		"rtc-record key 1 has 5 characters; the provider accepts 32 to 64 characters":                         {RTC: short},
		"rule 1: the domain": {Rules: []signature.Rule{{Kind: bridge.KindStream, Domain: "no host", App: "live", Keys: []string{key}}}},
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
		{bridge.KindRTCRecord, "app_id/1 x", "*", true}, {bridge.KindRTCRecord, long, "*", true}, {bridge.KindRTCRecord, long + "a", "*", false},
		{bridge.KindRTCRecord, "", "*", false}, {bridge.KindRTCRecord, "a*", "*", false},
	} {
		_, err := signature.NewRing(signature.Config{Rules: []signature.Rule{{Kind: tt.kind, Domain: tt.domain, App: tt.app, Keys: []string{key}}}})
		if (err == nil) != tt.taken {
			t.Errorf("%v, domain of %d and app of %d bytes: %v", tt.kind, len(tt.domain), len(tt.app), err)
		}
	}
}

// TestErrorNamesTheDigits: how many digits a signature has depends on the active scheme.
func TestErrorNamesTheDigits(t *testing.T) {
	for scheme, want := range map[bridge.Scheme]string{bridge.SchemeHMAC: "64 hex digits", bridge.SchemeHMACLegacy: "64 hex digits", bridge.SchemeMD5: "32 hex digits"} {
		c := recordStart()
		c.Sign = "nonsense"
		_, _, err := newRing(t, func(c *signature.Config) { c.RecordScheme = scheme }).Verify(c, expiry)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", scheme, err, want)
		}
	}
}

// TestDiagnosisOfTexts: mistakes that are one step away from those of TestDiagnosis.
func TestDiagnosisOfTexts(t *testing.T) {
	const coded = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZn" // the base64 of ABC…
	ring := newRing(t, func(c *signature.Config) { c.Stream, c.Record = []string{coded}, []string{coded} })
	p := publish()
	p.Stream = "a%20b"
	text := strings.Join(signature.Canonical(bridge.SchemeHMAC, p), "")
	mac := func(key, text string) string { return sum(sha256.New, key, text) }
	inner, err := base64.StdEncoding.DecodeString(coded)
	if err != nil {
		t.Fatal(err)
	}
	unescaped, _ := url.PathUnescape(text)
	raw, _ := hex.DecodeString(mac(coded, text))
	for _, tt := range []struct{ sign, want string }{
		{mac(string(inner), text), "with the key decoded from base64"},
		{mac(coded, unescaped), "URL-decoded"},
		{mac(coded, text)[:16], "cut to 16 of 64 digits"}, {mac(coded, text)[:14], ""},
		{base64.StdEncoding.EncodeToString(raw), "encoded in base64"}, {base64.RawStdEncoding.EncodeToString(raw), "encoded in base64"},
		{base64.URLEncoding.EncodeToString(raw), "encoded in base64"}, {base64.RawURLEncoding.EncodeToString(raw), "encoded in base64"},
		{mac(coded[:32], text), "with the key cut to 32 characters"},
	} {
		p.Sign = tt.sign
		got := ring.Explain(p).Diagnosis
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.sign, got, tt.want)
		}
		if strings.Contains(tt.want, "base64") && strings.Contains(got, "cut to") {
			t.Errorf("%s: %q, though all of it is there", tt.sign, got)
		}
	}
}

// TestDiagnosisNamesTheKey: a SparkRTC callback signed with a key that does not apply to its app_id.
func TestDiagnosisNamesTheKey(t *testing.T) {
	ring := newRing(t, func(c *signature.Config) {
		c.RTC = []string{secret("0")}
		c.Rules = []signature.Rule{rule(bridge.KindRTCRecord, "AppOne", "*", "1")}
	})
	for id, want := range map[string]string{"AppOne": "the key " + signature.KeyID(secret("0")) + " of rtc-record callbacks, which does not apply to this one", "other": ""} {
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
		if e := ring.ExplainRTC(c); len(e.Attempts) > 0 || (e.Diagnosis == "") != (tt.want == "") || !strings.Contains(e.Diagnosis, tt.want) {
			t.Errorf("%+v, want a diagnosis with %q", e, tt.want)
		}
	}
}

// TestDiagnosisOfUndecodableNames: a name that only looks URL-encoded is left as it is.
func TestDiagnosisOfUndecodableNames(t *testing.T) {
	p := publish()
	p.App, p.Stream = "a%zz", "b%20c"
	ring := newRing(t, nil)
	text := strings.Join(signature.Canonical(bridge.SchemeHMAC, p), "")
	p.Sign = sum(sha256.New, key, strings.Replace(text, "b%20c", "b c", 1))
	if got := ring.Explain(p).Diagnosis; !strings.Contains(got, "URL-decoded") {
		t.Errorf("%q", got)
	}
}
