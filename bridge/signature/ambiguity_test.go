package signature_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// ingestApps are the domains and apps of the tests below: alike, but for none that begins another.
func ingestApps() [][2]string {
	return [][2]string{{"push.example.com", "live"}, {"push.example.com", "vod"}, {"push.example.co", "live"},
		{"e.example.com", "live"}}
}

// listedRing verifies with rules that list every app, all with one key, and by DOMAINS.
func listedRing(t testing.TB) *signature.Ring {
	return newRing(t, func(c *signature.Config) {
		c.Stream, c.Record = nil, nil
		for _, k := range []bridge.Kind{bridge.KindStream, bridge.KindRecord} {
			for _, p := range ingestApps() {
				c.Rules = append(c.Rules, signature.Rule{Kind: k, Domain: p[0], App: p[1], Keys: []string{key}})
			}
		}
		for _, p := range ingestApps() {
			c.Domains = append(c.Domains, p[0])
		}
		if found := signature.Ambiguities(c.Rules, false); len(found) > 0 {
			t.Fatalf("the rules of the test can be mistaken for each other: %+v %+v", found[0].A, found[0].B)
		}
	})
}

// split fills the members with the text, cut at the given places.
func split(c *signature.Claim, text string, cuts []int) {
	slices.Sort(cuts)
	from := 0
	for i, m := range members(c) {
		to := len(text)
		if i < len(cuts) {
			to = cuts[i]
		}
		*m, from = text[from:to], to
	}
}

// Where KEYS_FILE lists the apps, a tuple that was signed is the only one of its signature, however its text is cut:
// any other is rejected, or has the app, domain and (known) event name of the signed one and, for recordings, letters
// moved between the stream and the URLs, which the journal detects by the digest.
func TestShiftsWhereAppsAreListed(t *testing.T) {
	ring := listedRing(t)
	eventNames := []string{"PUBLISH", "PUBLISH_DONE", "RECORD_START", "RECORD_OVER"}
	for _, kind := range []bridge.Kind{bridge.KindStream, bridge.KindRecord} {
		taken := 0
		rapid.Check(t, func(t *rapid.T) {
			c := drawClaim(t, kind)
			p := rapid.SampledFrom(ingestApps()).Draw(t, "place")
			c.Domain, c.App = p[0], p[1]
			c = signed(bridge.SchemeHMAC, key, c)
			_, original, err := ring.Verify(c, expiry)
			if err != nil {
				t.Fatalf("the original: %v", err)
			}
			try := func(moved signature.Claim) {
				_, sig, err := ring.Verify(moved, expiry)
				switch {
				case moved == c || err != nil || !slices.Contains(eventNames, moved.Event): // an unknown event is for another test
				case kind == bridge.KindStream:
					t.Fatalf("taken: %+v as %+v", c, moved)
				case moved.Event != c.Event || moved.Domain != c.Domain || moved.App != c.App || moved.Timestamp != c.Timestamp:
					t.Fatalf("taken: %+v as %+v", c, moved)
				case sig.Signed == original.Signed || sig.Sum != original.Sum:
					t.Fatalf("%+v cannot be told from %+v", moved, c)
				default:
					taken++
				}
			}
			everyShift(c, try)
			joined := strings.Join(signature.Canonical(bridge.SchemeHMAC, c), "")
			for range 50 {
				moved := c
				split(&moved, joined, rapid.SliceOfN(rapid.IntRange(0, len(joined)), len(members(&c))-1, len(members(&c))-1).Draw(t,
					"cuts"))
				try(moved)
			}
		})
		if (taken > 0) != (kind == bridge.KindRecord) {
			t.Errorf("%v: %d shifted tuples verified", kind, taken)
		}
	}
}

// everyShift tries every boundary, by every number of bytes.
func everyShift(c signature.Claim, try func(signature.Claim)) {
	for i := range len(members(&c)) - 1 {
		reach := len(*members(&c)[i]) + len(*members(&c)[i+1])
		for n := -reach; n <= reach; n++ {
			if moved := c; shift(&moved, i, n) {
				try(moved)
			}
		}
	}
}

// An unknown event name is trusted only if domains are listed; then none can be made of a known one unless
// a listed domain ends another.
func TestShiftedEventNames(t *testing.T) {
	ring := listedRing(t)
	for _, p := range ingestApps() {
		c := publish()
		c.Domain, c.App = p[0], p[1]
		c = signed(bridge.SchemeHMAC, key, c)
		everyShift(c, func(moved signature.Claim) {
			if _, _, err := ring.Verify(moved, expiry); err == nil && moved != c {
				t.Errorf("taken: %+v as %+v", c, moved)
			}
		})
	}
}

func TestAmbiguities(t *testing.T) {
	for _, tt := range []struct {
		name  string
		a, b  signature.Rule
		words bool
		want  bool
	}{
		{"an app begins another", rule(1, "a.example.com", "live", "k"), rule(1, "a.example.com", "live2", "k"), false, true},
		{"the other way round", rule(1, "a.example.com", "live2", "k"), rule(1, "a.example.com", "live", "k"), false, true},
		{"with keys of their own", rule(1, "a.example.com", "live", "k"), rule(1, "a.example.com", "live2", "m"), false,
			false},
		{"of two kinds", rule(1, "a.example.com", "live", "k"), rule(2, "a.example.com", "live2", "k"), false, false},
		{"of recordings", rule(2, "a.example.com", "live", "k"), rule(2, "A.example.com", "live2", "k"), false, true},
		{"of SparkRTC", rule(4, "app", "*", "k"), rule(4, "app2", "*", "k"), false, false},
		{"apps that differ", rule(1, "a.example.com", "live", "k"), rule(1, "a.example.com", "vod", "k"), false, false},
		{"letters of the domain", rule(1, "a.example.com", "mlive", "k"), rule(1, "a.example.co", "mmlive", "k"), false,
			true},
		{"a domain ends another", rule(1, "a.example.com", "live", "k"), rule(1, "example.com", "live", "k"), false, false},
		{"and unknown words are taken", rule(1, "a.example.com", "live", "k"), rule(1, "example.com", "live", "k"), true,
			true},
		{"any app", rule(1, "a.example.com", "*", "k"), rule(1, "a.example.com", "live", "k"), true, false},
	} {
		if got := len(signature.Ambiguities([]signature.Rule{tt.a, tt.b}, tt.words)) > 0; got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
