package signature_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// drawClaim makes a signed claim of the kind whose signature is neither expired nor too far ahead at expiry.
func drawClaim(t *rapid.T, k bridge.Kind) signature.Claim {
	name := rapid.StringMatching(`[a-z0-9_]{1,12}`)
	c := signature.Claim{Kind: k, Event: rapid.SampledFrom([]string{"PUBLISH", "PUBLISH_DONE", "RECORD_OVER"}).Draw(t,
		"event"),
		Domain: rapid.StringMatching(`[a-z]{2,8}\.example\.com`).Draw(t, "domain"), App: name.Draw(t, "app"),
		Stream: name.Draw(t, "stream"), Timestamp: rapid.StringMatching(`15879541[0-4][0-9]`).Draw(t, "timestamp")}
	if k == bridge.KindRecord {
		c.DownloadURL, c.PlayURL = rapid.String().Draw(t, "download"), rapid.String().Draw(t, "play")
	}
	return signed(bridge.SchemeHMAC, key, c)
}

// members points at the signed members in signing order.
func members(c *signature.Claim) []*string {
	if c.Kind == bridge.KindStream {
		return []*string{&c.Event, &c.Domain, &c.App, &c.Stream, &c.Timestamp}
	}
	return []*string{&c.Timestamp, &c.Event, &c.Domain, &c.App, &c.Stream, &c.DownloadURL, &c.PlayURL}
}

// shift moves n bytes over the boundary behind member i: to the right, or to the left when n is negative. It reports
// false when there are not that many.
func shift(c *signature.Claim, i, n int) bool {
	left, right := members(c)[i], members(c)[i+1]
	joined, at := *left+*right, len(*left)-n
	if n == 0 || at < 0 || at > len(joined) {
		return false
	}
	*left, *right = joined[:at], joined[at:]
	return true
}

// What the scheme cannot see, and what sees it: a shifted boundary always verifies as far as the HMAC goes. It is
// rejected when it touches auth_timestamp (no longer 10 digits) or leaves a domain that is not a host name, and what
// passes both has another digest of signed fields than the original under the same signature.
func TestShiftedBoundaries(t *testing.T) {
	ring := newRing(t, nil)
	for _, kind := range []bridge.Kind{bridge.KindStream, bridge.KindRecord} {
		rapid.Check(t, func(t *rapid.T) {
			c := drawClaim(t, kind)
			_, original, err := ring.Verify(c, expiry)
			if err != nil {
				t.Fatalf("the original: %v", err)
			}
			i := rapid.IntRange(0, len(members(&c))-2).Draw(t, "boundary")
			if !shift(&c, i, rapid.IntRange(-6, 6).Draw(t, "bytes")) {
				return
			}
			if signature.Sign(bridge.SchemeHMAC, key, c) != c.Sign {
				t.Fatal("the scheme saw the shift")
			}
			_, moved, err := ring.Verify(c, expiry)
			switch {
			case len(c.Timestamp) != 10:
				if err == nil {
					t.Fatalf("a timestamp of %d digits was taken", len(c.Timestamp))
				}
			case err == nil && (moved.Sum != original.Sum || moved.Signed == original.Signed):
				t.Fatalf("the shift cannot be told from the original: %+v %+v", original, moved)
			case err != nil && err.(*signature.Error).Verdict != signature.Forbidden:
				t.Fatalf("rejected for another reason than its domain: %v", err)
			}
		})
	}
}

// With the domains listed, a boundary of the domain cannot move at all unless a shifted domain is listed as well.
func TestShiftedDomainNotListed(t *testing.T) {
	c := signed(bridge.SchemeHMAC, key, publish())
	ring := newRing(t, func(cfg *signature.Config) { cfg.Domains = []string{c.Domain} })
	for _, i := range []int{0, 1} {
		for n := -4; n <= 4; n++ {
			moved := c
			if !shift(&moved, i, n) {
				continue
			}
			if _, _, err := ring.Verify(moved, expiry); err == nil {
				t.Errorf("boundary %d by %d: taken as %q %q %q", i, n, moved.Event, moved.Domain, moved.App)
			}
		}
	}
}

// TestShiftedDigitOfStream: room1 with a good expiry is room with one of 11 digits, good until the year 2343.
func TestShiftedDigitOfStream(t *testing.T) {
	c := publish()
	c.Stream, c.Timestamp = "room1", "1790000000"
	c = signed(bridge.SchemeHMAC, key, c)
	c.Stream, c.Timestamp = "room", "11790000000"
	_, _, err := newRing(t, nil).Verify(c, time.Unix(1790000000, 0))
	if _, reason := outcome(t, err); reason != "malformed_timestamp" {
		t.Errorf("%q", reason)
	}
}

// MD5 and the legacy scheme see nothing but the timestamp: every body of that second has the same signature and the
// same digest, so that nothing of it can be called tampering.
func TestTimestampSchemesSeeNoMember(t *testing.T) {
	now := time.Unix(1583676745, 0)
	for _, scheme := range []bridge.Scheme{bridge.SchemeHMACLegacy, bridge.SchemeMD5} {
		ring := newRing(t, func(c *signature.Config) { c.RecordScheme = scheme })
		a := signed(scheme, key, recordStart())
		b := a
		b.Event, b.Stream, b.DownloadURL = "RECORD_OVER", "another", downloadURL
		_, sa, errA := ring.Verify(a, now)
		_, sb, errB := ring.Verify(b, now)
		if errA != nil || errB != nil || sa != sb {
			t.Errorf("%v: %v %v %+v %+v", scheme, errA, errB, sa, sb)
		}
	}
}

func TestSignatureToRemember(t *testing.T) {
	ring := newRing(t, nil)
	c := signed(bridge.SchemeHMAC, key, publish())
	_, first, err := ring.Verify(c, expiry)
	if err != nil || !first.Strict || first.Expires != bridge.Millis(1587954140_000+300_000) {
		t.Fatalf("%+v %v", first, err)
	}
	upper := c
	upper.Sign = strings.ToUpper(c.Sign)
	if _, again, _ := ring.Verify(upper, expiry); again != first {
		t.Errorf("the case of the hex digits matters: %+v", again)
	}
	if _, again, _ := ring.Verify(c, expiry.Add(time.Hour)); again != first {
		t.Errorf("an expired signature is another one: %+v", again)
	}
	other := signed(bridge.SchemeHMAC, key, func() signature.Claim { c := publish(); c.Stream = "x"; return c }())
	if _, second, _ := ring.Verify(other, expiry); second.Sum == first.Sum || second.Signed == first.Signed {
		t.Errorf("another callback has the same signature: %+v", second)
	}
}

// Rings share nothing, so one can be swapped for another under load; run with -race.
func TestRingConcurrently(t *testing.T) {
	rings := []*signature.Ring{newRing(t, nil), newRing(t,
		func(c *signature.Config) { c.Stream = []string{otherKey, key} })}
	good := signed(bridge.SchemeHMAC, key, publish())
	bad := signed(bridge.SchemeHMAC, strings.Repeat("b", 32), publish())
	rtc := rtcComplete()
	rtc.Sign = sumRTC
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 500 {
				ring := rings[(g+i)%2]
				_, _, errGood := ring.Verify(good, expiry)
				_, _, errBad := ring.Verify(bad, expiry)
				_, _, errRTC := ring.VerifyRTC(rtc, time.Unix(1619600000, 0))
				if errGood != nil || errBad == nil || errRTC != nil {
					t.Errorf("%v %v %v", errGood, errBad, errRTC)
					return
				}
			}
		})
	}
	group.Wait()
}
