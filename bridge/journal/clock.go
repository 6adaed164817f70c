package journal

import (
	"time"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
)

// clock reads the two times of a run together: the wall clock, which may jump and is what events are stamped with, and
// the monotonic one, which holds are measured on.
type clock struct {
	started time.Time // carries Go's monotonic reading
	now     time.Time
}

func startClock() clock {
	t := time.Now()
	return clock{started: t, now: t}
}

// read returns the clock at this moment.
func (c clock) read() clock { return clock{started: c.started, now: time.Now()} }

// instant is the moment on the monotonic scale of this run.
func (c clock) instant() sequencer.Instant { return sequencer.Instant(c.now.Sub(c.started)) }

// millis is the moment on the wall clock.
func (c clock) millis() bridge.Millis { return bridge.MillisOf(c.now) }

// wallOf returns the wall clock's nanoseconds at which a deadline of this run falls, as the wall clock stands now.
func (c clock) wallOf(deadline sequencer.Instant) int64 {
	return c.now.Round(0).UnixNano() + int64(deadline-c.instant())
}

// restore returns the deadline in this run of a hold that ends at the wall clock's nanoseconds.
func (c clock) restore(wall int64, whole time.Duration) sequencer.Instant {
	left := time.Duration(wall - c.now.Round(0).UnixNano())
	return c.instant() + sequencer.Instant(min(max(left, 0), whole))
}

// until returns how long it is from the moment to a deadline of this run.
func (c clock) until(deadline sequencer.Instant) time.Duration {
	return time.Duration(deadline - c.instant())
}
