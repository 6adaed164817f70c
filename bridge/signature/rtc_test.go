package signature_test

import (
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

func TestVerifyRTC(t *testing.T) {
	made := time.Unix(1619600000, 0)
	type claim = signature.RTCClaim
	resigned := func(f func(*claim)) claim {
		c := rtcComplete()
		f(&c)
		c.Sign = signature.SignRTC(key, c)
		return c
	}
	good := resigned(func(*claim) {})
	with := func(f func(*claim)) claim { c := good; f(&c); return c }
	stamp := func(s string) claim { return resigned(func(c *claim) { c.Timestamp = s }) }
	noKey := func(c *signature.Config) { c.RTC = nil }
	unsigned := func(c *signature.Config) { c.RTC, c.AcceptUnsigned = nil, true }
	for _, tt := range []struct {
		name    string
		config  func(*signature.Config)
		claim   claim
		now     time.Time
		verdict signature.Verdict
		reason  string
		scheme  bridge.Scheme
	}{
		{"good", nil, good, made, 0, "", bridge.SchemeRTC},
		{"milliseconds", nil, stamp("1619600000123"), made, 0, "", bridge.SchemeRTC},
		{"upper-case hex", nil, with(func(c *claim) { c.Sign = strings.ToUpper(c.Sign) }), made, 0, "", bridge.SchemeRTC},
		{"as old as may be", nil, good, made.Add(24 * time.Hour), 0, "", bridge.SchemeRTC},
		{"too old", nil, good, made.Add(24*time.Hour + time.Millisecond), signature.Expired, "expired", bridge.SchemeRTC},
		{"too old, milliseconds", nil, stamp("1619600000123"), made.Add(24*time.Hour + 124*time.Millisecond),
			signature.Expired, "expired", bridge.SchemeRTC},
		{"as far ahead as may be", nil, good, made.Add(-time.Hour), 0, "", bridge.SchemeRTC},
		{"too far ahead", nil, good, made.Add(-time.Hour - time.Millisecond), signature.Expired, "too_far_ahead",
			bridge.SchemeRTC},
		{"11 digits", nil, stamp("61619600000"), made, signature.Expired, "odd_timestamp", bridge.SchemeRTC},
		{"12 digits", nil, stamp("161960000000"), made, signature.Expired, "odd_timestamp", bridge.SchemeRTC},
		{"no digits", nil, stamp("yesterday!"), made, signature.Expired, "odd_timestamp", bridge.SchemeRTC},
		{"no timestamp", nil, stamp(""), made, signature.Expired, "odd_timestamp", bridge.SchemeRTC},
		{"shifted from rand", nil, with(func(c *claim) { c.Rand, c.Timestamp = "12345", "61619600000" }), made,
			signature.Expired, "odd_timestamp", bridge.SchemeRTC},
		{"no key", noKey, good, made, signature.Unauthorized, "no_key", 0},
		{"unsigned taken", unsigned, rtcComplete(), made.Add(1000 * time.Hour), 0, "", 0},
		{"unsigned taken, signed", unsigned, good, made, 0, "", 0},
		{"no signature", nil, rtcComplete(), made, signature.Unauthorized, "no_signature", 0},
		{"not hex", nil, with(func(c *claim) { c.Sign = "zz" }), made, signature.Unauthorized, "malformed_signature", 0},
		{"body changed", nil, with(func(c *claim) { c.Body = append([]byte(" "), c.Body...) }), made, signature.Unauthorized,
			"mismatch", 0},
		{"rand changed", nil, with(func(c *claim) { c.Rand = "123457" }), made, signature.Unauthorized, "mismatch", 0},
		{"mismatch goes before the timestamp", nil, with(func(c *claim) { c.Timestamp = "1" }), made, signature.Unauthorized,
			"mismatch", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			scheme, sig, err := newRing(t, tt.config).VerifyRTC(tt.claim, tt.now)
			verdict, reason := outcome(t, err)
			if verdict != tt.verdict || reason != tt.reason || scheme != tt.scheme {
				t.Errorf("%v %q %v, want %v %q %v", verdict, reason, scheme, tt.verdict, tt.reason, tt.scheme)
			}
			if sig != (bridge.Signature{Sum: sig.Sum, Key: sig.Key}) ||
				(sig.Sum == [16]byte{}) == (tt.scheme == bridge.SchemeRTC) {
				t.Errorf("remembered: %+v", sig)
			}
		})
	}
}
