package signature_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

const otherKey = "ffffffffffffffffffffffffffffffff"

// expiry is the auth_timestamp of publish.
var expiry = time.Unix(1587954140, 0)

func config() signature.Config {
	return signature.Config{Stream: []string{key}, Record: []string{key}, RTC: []string{key},
		Skew: 300 * time.Second, MaxAhead: time.Hour, RTCMaxAge: 24 * time.Hour}
}

func newRing(t testing.TB, change func(*signature.Config)) *signature.Ring {
	t.Helper()
	cfg := config()
	if change != nil {
		change(&cfg)
	}
	ring, err := signature.NewRing(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// outcome is a verdict's reason, "" for a good signature.
func outcome(t *testing.T, err error) (signature.Verdict, string) {
	t.Helper()
	if err == nil {
		return 0, ""
	}
	var e *signature.Error
	if !errors.As(err, &e) || e.Detail == "" || e.Error() != e.Detail {
		t.Fatalf("not a signature error with a text: %#v", err)
	}
	return e.Verdict, e.Reason
}

func signed(s bridge.Scheme, k string, c signature.Claim) signature.Claim {
	c.Sign = signature.Sign(s, k, c)
	return c
}

func TestVerify(t *testing.T) {
	type change func(*signature.Config)
	type claim = signature.Claim
	noKey := func(c *signature.Config) { c.Stream = nil }
	unsigned := func(c *signature.Config) { c.Stream, c.AcceptUnsigned = nil, true }
	domains := func(c *signature.Config) { c.Domains = []string{"Push.Example.com"} }
	good := signed(bridge.SchemeHMAC, key, publish())
	with := func(f func(*claim)) claim { c := good; f(&c); return c }
	resigned := func(f func(*claim)) claim { return signed(bridge.SchemeHMAC, key, with(f)) }
	ahead := expiry.Add(-time.Hour)
	for _, tt := range []struct {
		name    string
		config  change
		claim   claim
		now     time.Time
		verdict signature.Verdict
		reason  string
		scheme  bridge.Scheme
	}{
		{"good", nil, good, expiry, 0, "", bridge.SchemeHMAC},
		{"upper-case hex", nil, with(func(c *claim) { c.Sign = strings.ToUpper(c.Sign) }), expiry, 0, "", bridge.SchemeHMAC},
		{"last millisecond of the skew", nil, good, expiry.Add(300 * time.Second), 0, "", bridge.SchemeHMAC},
		{"past the skew", nil, good, expiry.Add(300*time.Second + time.Millisecond), signature.Expired, "expired",
			bridge.SchemeHMAC},
		{"as far ahead as may be", nil, good, ahead, 0, "", bridge.SchemeHMAC},
		{"too far ahead", nil, good, ahead.Add(-time.Millisecond), signature.Expired, "too_far_ahead", bridge.SchemeHMAC},
		{"no key", noKey, good, expiry, signature.Unauthorized, "no_key", 0},
		{"no key, no signature", noKey, publish(), expiry, signature.Unauthorized, "no_key", 0},
		{"no key, unsigned taken", unsigned, publish(), expiry, 0, "", 0},
		{"no key, unsigned taken, signed", unsigned, good, expiry, 0, "", 0},
		{"no key, unsigned taken, nonsense", unsigned, with(func(c *claim) { c.Sign, c.Timestamp = "x", "y" }), expiry, 0, "",
			0},
		{"no signature", nil, publish(), expiry, signature.Unauthorized, "no_signature", 0},
		{"no signature, unsigned taken, but a key", func(c *signature.Config) { c.AcceptUnsigned = true }, publish(), expiry,
			signature.Unauthorized, "no_signature", 0},
		{"short", nil, with(func(c *claim) { c.Sign = c.Sign[:63] }), expiry, signature.Unauthorized, "malformed_signature",
			0},
		{"long", nil, with(func(c *claim) { c.Sign += "00" }), expiry, signature.Unauthorized, "malformed_signature", 0},
		{"length of MD5", nil, with(func(c *claim) { c.Sign = sumMD5 }), expiry, signature.Unauthorized,
			"malformed_signature", 0},
		{"not hex", nil, with(func(c *claim) { c.Sign = "g" + c.Sign[1:] }), expiry, signature.Unauthorized,
			"malformed_signature", 0},
		{"not hex goes before the timestamp", nil, with(func(c *claim) { c.Sign, c.Timestamp = "g", "g" }), expiry,
			signature.Unauthorized, "malformed_signature", 0},
		{"no timestamp", nil, resigned(func(c *claim) { c.Timestamp = "" }), expiry, signature.Unauthorized,
			"malformed_timestamp", 0},
		{"11 digits", nil, resigned(func(c *claim) { c.Timestamp = "11587954140" }), expiry,
			signature.Unauthorized, "malformed_timestamp", 0},
		{"signed number", nil, resigned(func(c *claim) { c.Timestamp = "+158795414" }), expiry,
			signature.Unauthorized, "malformed_timestamp", 0},
		{"fraction", nil, resigned(func(c *claim) { c.Timestamp = "15879541.0" }), expiry,
			signature.Unauthorized, "malformed_timestamp", 0},
		{"mismatch", nil, with(func(c *claim) { c.Stream = "other" }), expiry, signature.Unauthorized, "mismatch", 0},
		{"case is signed", nil, with(func(c *claim) { c.Domain = "PUSH.example.com" }), expiry, signature.Unauthorized,
			"mismatch", 0},
		{"other key", nil, signed(bridge.SchemeHMAC, otherKey, publish()), expiry, signature.Unauthorized, "mismatch", 0},
		{"mismatch goes before the domain", domains, with(func(c *claim) { c.Domain = "x" }), expiry, signature.Unauthorized,
			"mismatch", 0},
		{"domain listed, other case", domains, resigned(func(c *claim) { c.Domain = "PUSH.example.COM" }), expiry, 0, "",
			bridge.SchemeHMAC},
		{"domain not listed", domains, resigned(func(c *claim) { c.Domain = "x.example.com" }), expiry, signature.Forbidden,
			"domain", 0},
		{"domain goes before expiry", domains, resigned(func(c *claim) { c.Domain = "x.example.com" }), expiry.Add(time.Hour),
			signature.Forbidden, "domain", 0},
		{"unsigned, domain not listed", func(c *signature.Config) { unsigned(c); c.Domains = []string{"a.b"} }, publish(),
			expiry,
			signature.Forbidden, "domain", 0},
		{"no host name", nil, resigned(func(c *claim) { c.Domain = "_DONEpush.example.com" }), expiry, signature.Forbidden,
			"no_host_name", 0},
		{"unsigned, no host name", unsigned, with(func(c *claim) { c.Domain = "a b" }), expiry, signature.Forbidden,
			"no_host_name", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			scheme, sig, err := newRing(t, tt.config).Verify(tt.claim, tt.now)
			verdict, reason := outcome(t, err)
			if verdict != tt.verdict || reason != tt.reason || scheme != tt.scheme {
				t.Fatalf("%v %q %v, want %v %q %v", verdict, reason, scheme, tt.verdict, tt.reason, tt.scheme)
			}
			if remembered := sig != (bridge.Signature{}); remembered != (tt.scheme != 0) {
				t.Errorf("remembered: %+v", sig)
			}
			if err != nil && tt.claim.Sign != "" && strings.Contains(strings.ToLower(err.Error()), tt.claim.Sign) &&
				len(tt.claim.Sign) > 3 {
				t.Errorf("the error shows the signature: %v", err)
			}
		})
	}
}

func TestVerifyRecordSchemes(t *testing.T) {
	now := time.Unix(1583676745, 0)
	schemes := []bridge.Scheme{bridge.SchemeHMAC, bridge.SchemeHMACLegacy, bridge.SchemeMD5}
	for _, configured := range append(schemes, bridge.SchemeNone) {
		ring := newRing(t, func(c *signature.Config) { c.RecordScheme = configured })
		want := configured
		if configured == bridge.SchemeNone {
			want = bridge.SchemeHMAC
		}
		for _, sent := range schemes {
			got, sig, err := ring.Verify(signed(sent, key, recordStart()), now)
			if sent != want {
				if verdict, _ := outcome(t, err); verdict != signature.Unauthorized {
					t.Errorf("configured %v, sent %v: %v", configured, sent, err)
				}
				continue
			}
			if err != nil || got != want || sig.Strict || sig.Expires != 1583676745_000+300_000 {
				t.Errorf("configured %v: %v %+v %v", configured, got, sig, err)
			}
		}
	}
}

func TestVerifyRecordSignsURLs(t *testing.T) {
	now := time.Unix(1583676745, 0)
	c := recordStart()
	c.DownloadURL, c.PlayURL = downloadURL, playURL
	c = signed(bridge.SchemeHMAC, key, c)
	ring := newRing(t, nil)
	if _, _, err := ring.Verify(c, now); err != nil {
		t.Fatal(err)
	}
	c.PlayURL += "x"
	if _, reason := outcome(t, func() error { _, _, err := ring.Verify(c, now); return err }()); reason != "mismatch" {
		t.Errorf("a changed play_url: %q", reason)
	}
}

func TestVerifySnapshot(t *testing.T) {
	ring := newRing(t, func(c *signature.Config) { c.Domains = []string{"push.example.com"} })
	c := signature.Claim{Kind: bridge.KindSnapshot, Domain: "push.example.com", Sign: "whatever", Timestamp: "1"}
	if scheme, sig, err := ring.Verify(c, expiry); err != nil || scheme != bridge.SchemeNone ||
		sig != (bridge.Signature{}) {
		t.Errorf("%v %+v %v", scheme, sig, err)
	}
	c.Domain = "other.example.com"
	_, _, err := ring.Verify(c, expiry)
	if verdict, reason := outcome(t, err); verdict != signature.Forbidden || reason != "domain" {
		t.Errorf("%v %v", verdict, reason)
	}
}

func TestVerifyTakesEveryKey(t *testing.T) {
	third := strings.Repeat("z", 32)
	list := []string{otherKey, key, third}
	ring := newRing(t, func(c *signature.Config) { c.Stream, c.RTC = list, list })
	for _, k := range list {
		if _, _, err := ring.Verify(signed(bridge.SchemeHMAC, k, publish()), expiry); err != nil {
			t.Error(err)
		}
		c := rtcComplete()
		c.Sign = signature.SignRTC(k, c)
		if _, _, err := ring.VerifyRTC(c, time.Unix(1619600000, 0)); err != nil {
			t.Error(err)
		}
	}
}

// One kind's key is worth nothing for another kind.
func TestVerifyKeepsKindsApart(t *testing.T) {
	ring := newRing(t, func(c *signature.Config) { c.Record, c.AcceptUnsigned = []string{otherKey}, true })
	_, _, err := ring.Verify(signed(bridge.SchemeHMAC, key, recordStart()), time.Unix(1583676745, 0))
	if _, reason := outcome(t, err); reason != "mismatch" {
		t.Errorf("a stream key signed a recording: %q", reason)
	}
}

func TestHostNames(t *testing.T) {
	long := strings.Repeat("a", 63)
	for name, want := range map[string]bool{
		"push.example.com": true, "localhost": true, "1.2.3.4": true, "a-b.c": true, "PUSH.Example.COM": true,
		long + ".com": true, strings.Repeat("a.", 126) + "a": true,
		"": false, ".": false, "a.": false, ".a": false, "a..b": false, "-a.b": false, "a-.b": false, "a_b.c": false,
		"a b": false, "a/b": false, "a:80": false, "é.com": false, "a\x00b": false,
		long + "a.com": false, strings.Repeat("a.", 127) + "a": false,
	} {
		c := publish()
		c.Domain = name
		_, _, err := newRing(t, nil).Verify(signed(bridge.SchemeHMAC, key, c), expiry)
		if _, reason := outcome(t, err); (reason == "") != want {
			t.Errorf("%q: %q", name, reason)
		}
	}
}
