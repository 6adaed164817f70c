package signature_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// FuzzCanonical: the ring agrees with Sign about every claim that anybody can send, whatever its bytes, and the fields
// come out unchanged, each once.
func FuzzCanonical(f *testing.F) {
	f.Add(true, "PUBLISH", "push.example.com", "live", "room", "1587954140", "", "")
	f.Add(false, "RECORD_START", "push.example.com", "live", "room", "1587954140", downloadURL, playURL)
	f.Add(true, "", "a", "\xff\x00", "é\n", "1587954140", "x", "y")
	ring := newRing(f, nil)
	f.Fuzz(func(t *testing.T, stream bool, event, domain, app, name, timestamp, download, play string) {
		c := signature.Claim{Kind: bridge.KindRecord, Event: event, Domain: domain, App: app, Stream: name,
			Timestamp: timestamp, DownloadURL: download, PlayURL: play}
		want := timestamp + event + domain + app + name + download + play
		if stream {
			c.Kind, want = bridge.KindStream, event+domain+app+name+timestamp
		}
		if got := strings.Join(signature.Canonical(bridge.SchemeHMAC, c), ""); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
		c.Sign = signature.Sign(bridge.SchemeHMAC, key, c)
		_, _, err := ring.Verify(c, expiry)
		if _, reason := outcome(t, err); reason == "mismatch" || reason == "malformed_signature" {
			t.Fatalf("its own signature: %v", err)
		}
		c.Sign = signature.Sign(bridge.SchemeHMAC, otherKey, c)
		if _, _, err = ring.Verify(c, expiry); err == nil {
			t.Fatal("another key's signature was taken")
		}
	})
}

// FuzzVerify: only the right signature is accepted, and nothing panics.
func FuzzVerify(f *testing.F) {
	f.Add(sumPublish, "1587954140")
	f.Add(sumMD5, "")
	f.Add(strings.Repeat("é", 32), "158795414a")
	ring := newRing(f, nil)
	f.Fuzz(func(t *testing.T, sign, timestamp string) {
		c := publish()
		c.Timestamp = timestamp
		want := signature.Sign(bridge.SchemeHMAC, key, c)
		c.Sign = sign
		_, _, err := ring.Verify(c, expiry)
		given, bad := hex.DecodeString(sign)
		if err == nil && (bad != nil || hex.EncodeToString(given) != want) {
			t.Fatalf("taken: %q with %q", sign, timestamp)
		}
	})
}
