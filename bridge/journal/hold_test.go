package journal

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

// emitted waits until everything stands still and returns what Next would give.
func emitted(t testing.TB, j *Journal) []string {
	t.Helper()
	synctest.Wait()
	var out []string
	for n := j.outbox.Pending(); n > 0; n = j.outbox.Pending() {
		out = append(out, drain(t, j, 1)...)
	}
	return out
}

func TestHoldEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		j := open(t, o)
		defer closeJournal(t, j)
		now := bridge.MillisOf(time.Now())
		add(t, j, push("a", now, bridge.PhaseDone))
		time.Sleep(o.Limits.HoldDone - time.Millisecond)
		if got := emitted(t, j); len(got) != 0 {
			t.Errorf("before its deadline: %q", got)
		}
		time.Sleep(time.Millisecond)
		if got := emitted(t, j); !slices.Equal(got, []string{"a 1 publish_done start_unseen"}) {
			t.Errorf("at its deadline: %q", got)
		}
		add(t, j, push("a", now, bridge.PhasePublish))
		if got := emitted(t, j); !slices.Equal(got, []string{"a 2 publish late"}) {
			t.Errorf("after it: %q", got)
		}
	})
}

// TestCallbacksComeBeforeDeadlines: what waits while the writer cannot go on is decided before the deadlines that have
// passed meanwhile, so that a machine which stood still ends no hold.
func TestCallbacksComeBeforeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		j := open(t, o)
		defer closeJournal(t, j)
		now := bridge.MillisOf(time.Now())
		add(t, j, push("a", now, bridge.PhaseDone))
		j.metrics.Duplicates = slowCounter{j.metrics.Duplicates, 2 * o.Limits.HoldDone}
		var work sync.WaitGroup
		work.Go(func() { add(t, j, push("a", now, bridge.PhaseDone)) }) // a duplicate, which takes the writer long
		synctest.Wait()
		work.Go(func() { add(t, j, push("a", now, bridge.PhasePublish)) })
		work.Wait()
		if got := emitted(t, j); !slices.Equal(got, []string{"a 1 publish ", "a 2 publish_done "}) {
			t.Errorf("got %q", got)
		}
	})
}

// TestClockJumpChangesNoHold: the wall clock leaps while something waits, forward and back, and the hold is as long as
// ever.
func TestClockJumpChangesNoHold(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, ahead := memory(), atomic.Int64{}
				o.Wall = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
				j := open(t, o)
				defer closeJournal(t, j)
				add(t, j, push("a", bridge.MillisOf(time.Now())-3_600_000, bridge.PhaseDone))
				time.Sleep(o.Limits.HoldDone / 2)
				ahead.Store(int64(jump))
				time.Sleep(o.Limits.HoldDone/2 - time.Millisecond)
				if got := emitted(t, j); len(got) != 0 {
					t.Errorf("before its deadline: %q", got)
				}
				time.Sleep(time.Millisecond)
				if got := emitted(t, j); !slices.Equal(got, []string{"a 1 publish_done start_unseen"}) {
					t.Errorf("at its deadline: %q", got)
				}
			})
		})
	}
}

func TestHoldGoesOnAfterRestart(t *testing.T) {
	for _, c := range []struct {
		name        string
		down, after time.Duration
		want        []string
	}{
		{"with what is left", 2 * time.Second, 4*time.Second - time.Millisecond, nil},
		{"ends when the rest is over", 2 * time.Second, 4 * time.Second, []string{"a 1 publish_done start_unseen"}},
		{"has ended meanwhile", time.Minute, 0, []string{"a 1 publish_done start_unseen"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := memory()
				j := open(t, o)
				add(t, j, push("a", bridge.MillisOf(time.Now()), bridge.PhaseDone))
				time.Sleep(4 * time.Second)
				closeJournal(t, j)
				time.Sleep(c.down)
				j = open(t, o)
				defer closeJournal(t, j)
				time.Sleep(c.after)
				if got := emitted(t, j); !slices.Equal(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

func TestLimitOnAllHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.HeldMax = 2
		j := open(t, o)
		defer closeJournal(t, j)
		now := bridge.MillisOf(time.Now())
		for _, stream := range []string{"a", "b", "c"} {
			add(t, j, push(stream, now, bridge.PhaseDone))
			time.Sleep(time.Second)
		}
		if got := emitted(t, j); !slices.Equal(got, []string{"a 1 publish_done forced,start_unseen"}) {
			t.Errorf("got %q", got)
		}
	})
}
