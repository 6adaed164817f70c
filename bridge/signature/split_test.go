package signature_test

import (
	"testing"
	"time"

	"livebridge/bridge/signature"
)

// TestRTCSplits: the provider signs rand, timestamp and body side by side, so one message is well signed under every
// place of both boundaries. None but the true one is good for this hour, and all have the same name, by which the
// quarantine limits them.
func TestRTCSplits(t *testing.T) {
	ring, at := newRing(t, nil), time.Unix(1619600000, 0)
	c := rtcComplete()
	c.Sign = signature.SignRTC(key, c)
	_, original, err := ring.VerifyRTC(c, at)
	if err != nil {
		t.Fatal(err)
	}
	joined := c.Rand + c.Timestamp + string(c.Body)
	good := 0
	for i := 0; i <= len(joined); i++ {
		for j := i; j <= min(len(joined), i+20); j++ {
			split := signature.RTCClaim{Rand: joined[:i], Timestamp: joined[i:j], Body: []byte(joined[j:]), Sign: c.Sign}
			_, sig, err := ring.VerifyRTC(split, at)
			if verdict, _ := outcome(t, err); err != nil && verdict != signature.Expired {
				t.Fatalf("split %d, %d: %v", i, j, err)
			}
			if sig != original {
				t.Fatalf("split %d, %d has another name", i, j)
			}
			if err == nil {
				good++
			}
		}
	}
	if good != 1 {
		t.Errorf("%d splits are good", good)
	}
}
