package journal

import (
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

// TestMetricsFollowTheProcessor: what the processor decides is counted, once, and what it keeps is shown, also after a
// restart.
func TestMetricsFollowTheProcessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := unpublished()
		o.HeldMax, o.QuarantineMax, o.DedupeMax, o.QuarantineMaxAge = 2, 2, 6, time.Hour
		s := observe(t, o)
		s.take(ended("a", 1), ended("b", 2), ended("c", 3), ended("c", 3))
		s.counts("holds", "holds_total", 3)
		s.counts("holds", "held_events", 2)
		s.counts("holds", "events_marked_total", 1, "forced")
		s.counts("holds", "callbacks_duplicate_total", 1)
		s.take(suspects(bridge.ReasonExpired, "d e f f")...)
		s.counts("quarantine", "callbacks_quarantined_total", 3, "expired")
		s.counts("quarantine", "quarantine_evicted_total", 1)
		s.counts("quarantine", "callbacks_duplicate_total", 2)
		s.keeps("quarantine", bridge.QuarantineQueue, "e f")
		for _, stream := range []string{"g", "h", "i", "j"} {
			s.take(recording(stream, 1))
		}
		time.Sleep(2 * housekeepingInterval)
		synctest.Wait()
		s.counts("identities", "dedupe_evicted_total", 1)
		s.restart()
		s.counts("restarted", "held_events", 2)
		s.keeps("restarted", bridge.QuarantineQueue, "e f")
		time.Sleep(time.Hour + housekeepingInterval)
		synctest.Wait()
		s.keeps("an hour later", bridge.QuarantineQueue, "")
		s.counts("an hour later", "quarantine_evicted_total", 2)
		s.counts("an hour later", "held_events", 0)
		s.counts("an hour later", "events_marked_total", 2, "start_unseen")
	})
}

// TestLimitsOnDisk: what the limits let go is gone after a restart too, and what is left is as it was.
func TestLimitsOnDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := unpublished()
		o.DedupeWindow = time.Hour
		s := observe(t, o)
		a := signed(recording("a", 1), 1, 1)
		a.Signature.Expires = bridge.MillisOf(time.Now()) + 30*60_000
		s.take(a)
		time.Sleep(10*time.Minute + time.Second)
		s.take(recording("b", 1))
		s.restart()
		over := signed(recording("c", 1), 1, 2)
		over.Signature.Expires = a.Signature.Expires
		s.take(over, recording("a", 1), recording("b", 1))
		s.counts("within the window", "callbacks_quarantined_total", 1, "tampered")
		s.counts("within the window", "callbacks_duplicate_total", 2)
		time.Sleep(time.Hour)
		s.restart()
		s.take(recording("b", 1), recording("a", 1), over)
		s.counts("behind the first part of it", "callbacks_duplicate_total", 1)
		s.counts("behind the first part of it", "callbacks_quarantined_total", 0)
	})
}
