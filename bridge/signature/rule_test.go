package signature_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// secret is the key of a rule, by a letter.
func secret(letter string) string { return strings.Repeat(letter, 32) }

func rule(k bridge.Kind, domain, app, letter string) signature.Rule {
	return signature.Rule{Kind: k, Domain: domain, App: app, Keys: []string{secret(letter)}}
}

// Precedence of rules: each domain and app is verified with exactly the key that the last column names.
func TestRulesChooseKeys(t *testing.T) {
	const own = "0"
	all := []signature.Rule{
		rule(bridge.KindStream, "a.example.com", "live", "1"), rule(bridge.KindStream, "A.example.com", "*", "2"),
		rule(bridge.KindStream, "b.example.com", "live", "3"), rule(bridge.KindStream, "*", "live", "4"),
		rule(bridge.KindStream, "*", "*", "5"), rule(bridge.KindRecord, "c.example.com", "live", "6"),
	}
	for _, tt := range []struct {
		rules       []signature.Rule
		domain, app string
		want        string // the letter of the key; or the reason of a refusal
	}{
		{all, "a.example.com", "live", "1"},
		{all, "A.EXAMPLE.com", "live", "1"},
		{all, "a.example.com", "Live", "2"},
		{all, "a.example.com", "other", "2"},
		{all, "b.example.com", "live", "3"},
		{all, "b.example.com", "other", "app"},
		{all, "b.example.com", "*", "app"},
		{all, "c.example.com", "live", "4"},
		{all, "c.example.com", "other", "5"},
		{all, "c.example.com", "*", "5"},
		{all[:4], "c.example.com", "other", own},
		{all[:3], "c.example.com", "live", own},
		{all[:3], "b.example.com", "other", "app"},
		{all[5:], "b.example.com", "other", own},
		{nil, "b.example.com", "other", own},
	} {
		ring := newRing(t, func(c *signature.Config) { c.Stream, c.Rules = []string{secret(own)}, tt.rules })
		var got []string
		for letter := range 10 {
			c := publish()
			c.Domain, c.App = tt.domain, tt.app
			_, _, err := ring.Verify(signed(bridge.SchemeHMAC, secret(fmt.Sprint(letter)), c), expiry)
			if _, reason := outcome(t, err); reason == "" {
				got = append(got, fmt.Sprint(letter))
			} else if reason != "mismatch" {
				got = []string{reason}
			}
		}
		if strings.Join(got, ",") != tt.want {
			t.Errorf("%d rules, %s/%s: judged by %q, want %q", len(tt.rules), tt.domain, tt.app, got, tt.want)
		}
	}
}

// An app that is not listed is rejected whatever its signature: good, none, or nonsense; and its unsigned callbacks are
// not accepted either.
func TestAppNotListed(t *testing.T) {
	ring := newRing(t, func(c *signature.Config) {
		c.AcceptUnsigned, c.Rules = true, []signature.Rule{rule(bridge.KindStream, "push.example.com", "other", "1")}
	})
	for _, c := range []signature.Claim{signed(bridge.SchemeHMAC, key, publish()),
		signed(bridge.SchemeHMAC, secret("1"), publish()), publish(),
		{Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Sign: "nonsense"}} {
		_, _, err := ring.Verify(c, expiry)
		if verdict, reason := outcome(t, err); verdict != signature.Forbidden || reason != "app" {
			t.Errorf("%+v: %v %q", c, verdict, reason)
		}
	}
}

// A kind has a key when a rule has one: then unsigned callbacks are not accepted anywhere.
func TestUnsignedBesideRules(t *testing.T) {
	ring := newRing(t, func(c *signature.Config) {
		c.Stream, c.RTC, c.AcceptUnsigned = nil, nil, true
		c.Rules = []signature.Rule{rule(bridge.KindStream, "other.example.com", "live", "1")}
	})
	_, _, err := ring.Verify(publish(), expiry)
	if _, reason := outcome(t, err); reason != "no_key" {
		t.Errorf("a stream callback without a signature: %q", reason)
	}
	if _, _, err := ring.VerifyRTC(rtcComplete(), expiry); err != nil {
		t.Errorf("SparkRTC has no key at all: %v", err)
	}
}

// The sign type of a rule is the only one accepted where it applies; without one it is that of RECORD_SIGN_TYPE.
func TestRulesChooseSchemes(t *testing.T) {
	now := time.Unix(1583676745, 0)
	schemes := []bridge.Scheme{bridge.SchemeHMAC, bridge.SchemeHMACLegacy, bridge.SchemeMD5}
	ring := newRing(t, func(c *signature.Config) {
		c.RecordScheme = bridge.SchemeHMACLegacy
		for _, s := range append(schemes, bridge.SchemeNone) {
			c.Rules = append(c.Rules, signature.Rule{Kind: bridge.KindRecord, Domain: "push.example.com",
				App:    "app-" + s.String(),
				Scheme: s, Keys: []string{key}})
		}
	})
	for _, configured := range append(schemes, bridge.SchemeNone) {
		want := configured
		if configured == bridge.SchemeNone {
			want = bridge.SchemeHMACLegacy
		}
		for _, sent := range schemes {
			c := recordStart()
			c.App = "app-" + configured.String()
			got, _, err := ring.Verify(signed(sent, key, c), now)
			if (err == nil) != (sent == want) || err == nil && got != want {
				t.Errorf("a rule for %v, signed with %v: %v, %v", configured, sent, got, err)
			}
		}
	}
}

// The app_id chooses the keys of SparkRTC; a body that does not tell one may be signed with any of them.
func TestRulesForRTC(t *testing.T) {
	ring := newRing(t, func(c *signature.Config) {
		c.RTC = []string{secret("0")}
		c.Rules = []signature.Rule{rule(bridge.KindRTCRecord, "AppOne", "*", "1"),
			rule(bridge.KindRTCRecord, "app2", "*", "2")}
	})
	for _, tt := range []struct{ appID, want string }{{"AppOne", "1"}, {"app2", "2"}, {"appone", "0"}, {"app3", "0"},
		{"", "0,1,2"}} {
		var got []string
		for letter := range 4 {
			c := rtcComplete()
			c.AppID, c.Sign = tt.appID, signature.SignRTC(secret(fmt.Sprint(letter)), c)
			if _, _, err := ring.VerifyRTC(c, time.Unix(1619600000, 0)); err == nil {
				got = append(got, fmt.Sprint(letter))
			}
		}
		if strings.Join(got, ",") != tt.want {
			t.Errorf("app_id %q: judged by %q, want %q", tt.appID, got, tt.want)
		}
	}
}

// Snapshots have no formula: their rules say which domains and apps there are, and no more.
func TestRulesForSnapshots(t *testing.T) {
	ring := newRing(t, func(c *signature.Config) {
		c.Rules = []signature.Rule{{Kind: bridge.KindSnapshot, Domain: "push.example.com", App: "live"}}
	})
	for app, want := range map[string]string{"live": "", "other": "app"} {
		_, _, err := ring.Verify(signature.Claim{Kind: bridge.KindSnapshot, Domain: "push.example.com", App: app}, expiry)
		if _, reason := outcome(t, err); reason != want {
			t.Errorf("%s: %q", app, reason)
		}
	}
	if _, _, err := ring.Verify(signature.Claim{Kind: bridge.KindSnapshot, Domain: "other.example.com", App: "x"},
		expiry); err != nil {
		t.Errorf("a domain without rules: %v", err)
	}
}

func TestNewRingChecksRules(t *testing.T) {
	good := rule(bridge.KindStream, "push.example.com", "live", "K")
	with := func(f func(*signature.Rule)) signature.Rule { r := good; f(&r); return r }
	for _, tt := range []struct {
		name string
		rule signature.Rule
		want string // part of the error; empty: accepted
	}{
		{"good", with(func(r *signature.Rule) { r.App = "other" }), ""},
		{"kind", with(func(r *signature.Rule) { r.Kind = 0 }), "stream, record, snapshot or rtc-record"},
		{"domain empty", with(func(r *signature.Rule) { r.Domain = "" }), "host name"},
		{"domain half a wildcard", with(func(r *signature.Rule) { r.Domain = "*.example.com" }), "* alone"},
		{"domain is a URL", with(func(r *signature.Rule) { r.Domain = "https://" + secret("K") }), "host name"},
		{"app empty", with(func(r *signature.Rule) { r.App = "" }), "app"},
		{"app half a wildcard", with(func(r *signature.Rule) { r.App = "live*" }), "* alone"},
		{"app two stars", with(func(r *signature.Rule) { r.App = "**" }), "* alone"},
		{"app too long", with(func(r *signature.Rule) { r.App = strings.Repeat("x", 256) }), "255"},
		{"app of SparkRTC", with(func(r *signature.Rule) { r.Kind = bridge.KindRTCRecord }), "app_id"},
		{"no key", with(func(r *signature.Rule) { r.App, r.Keys = "other", nil }), "no key"},
		{"short key", with(func(r *signature.Rule) { r.App, r.Keys = "other", []string{secret("K"), "KKK"} }),
			"stream key 2 has 3 characters"},
		{"sign type of a stream", with(func(r *signature.Rule) { r.App, r.Scheme = "other", bridge.SchemeMD5 }),
			"recordings only"},
		{"no scheme of recordings", with(func(r *signature.Rule) { r.Kind, r.Scheme = bridge.KindRecord, bridge.SchemeRTC }),
			"HMACSHA256"},
		{"the same rule again", with(func(r *signature.Rule) { r.Domain = "PUSH.example.com" }), "domain and app as line 7"},
		{"the same of another kind", with(func(r *signature.Rule) { r.Kind = bridge.KindRecord }), ""},
	} {
		first := good
		first.Where = "line 7"
		cfg := config()
		cfg.Rules = []signature.Rule{first, tt.rule}
		_, err := signature.NewRing(cfg)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		case err != nil && strings.Contains(err.Error(), "KKK"):
			t.Errorf("%s: the error shows a key: %v", tt.name, err)
		}
	}
}

// Only accepted callbacks count as usage, and the count continues from ring to ring.
func TestUses(t *testing.T) {
	var uses signature.Uses
	old := newRing(t, func(c *signature.Config) { c.Uses = &uses })
	next := newRing(t, func(c *signature.Config) { c.Uses, c.Stream = &uses, []string{key, otherKey} })
	good := signed(bridge.SchemeHMAC, key, publish())
	for _, ring := range []*signature.Ring{old, next, old} {
		if _, _, err := ring.Verify(good, expiry); err != nil {
			t.Fatal(err)
		}
	}
	next.Verify(good, expiry.Add(time.Hour))                                     // expired
	next.Verify(signed(bridge.SchemeHMAC, secret("x"), publish()), expiry)       // forged
	next.Verify(signed(bridge.SchemeHMAC, otherKey, publish()), expiry.Add(1e9)) // the other key
	rtc := rtcComplete()
	rtc.Sign = sumRTC
	next.VerifyRTC(rtc, time.Unix(1619600000, 0))
	want := []signature.KeyUse{
		{Kind: bridge.KindStream, ID: "3eb1bd43", Count: 3, Last: bridge.MillisOf(expiry)},
		{Kind: bridge.KindStream, ID: signature.KeyID(otherKey), Count: 1, Last: bridge.MillisOf(expiry) + 1000},
		{Kind: bridge.KindRecord, ID: signature.KeyID(key)},
		{Kind: bridge.KindRTCRecord, ID: signature.KeyID(key), Count: 1, Last: 1619600000000},
	}
	if got := next.Keys(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
