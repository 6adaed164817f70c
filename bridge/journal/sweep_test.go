package journal

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// TestFewLanesAtATime: however many lanes are idle, no commit forgets more than its part of them.
func TestFewLanesAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, w := memory(), &wall{}
		o.Wall = w.now
		s := observe(t, o)
		s.takeTogether(2*sweepLanes+1, func(i int) *bridge.Arrival { return recording(fmt.Sprint("s", i), 1) })
		s.out()
		w.ahead.Add(int64(processor.ForgetClosed + time.Minute))
		for left := uint64(2*sweepLanes + 1); left > 0; {
			time.Sleep(housekeepingInterval)
			synctest.Wait()
			i, err := s.Inspect()
			if err != nil || i.Lanes >= left || left-i.Lanes > sweepLanes {
				t.Fatalf("of %d lanes %d are left, %v", left, i.Lanes, err)
			}
			left = i.Lanes
		}
	})
}

// TestDamagedLaneIsAnError: a lane that cannot be read ends the journal, though nothing comes for it.
func TestDamagedLaneIsAnError(t *testing.T) {
	o := memory()
	closeJournal(t, open(t, o))
	key := keyOf('l', push("a", 1, bridge.PhasePublish).Event.Lane)
	damage(t, o, func(db *pebble.DB) error { return db.Set(key, []byte{0x80}, pebble.Sync) })
	j := open(t, o)
	defer abandon(j)
	select {
	case <-j.Failed():
	case <-time.After(10 * time.Second):
		t.Error("a lane that is no lane was passed over")
	}
}
