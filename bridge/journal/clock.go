package journal

import (
	"time"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
)

// clock reads the two times of a run together: the wall clock, which may jump and is what events are stamped with, and
// the monotonic one, which holds are measured on.
type clock struct {
	source  func() time.Time // the wall clock
	started time.Time        // carries Go's monotonic reading
	now     time.Time        // likewise
	wall    time.Time
}

func startClock(wall func() time.Time) clock {
	c := clock{source: wall, started: time.Now()}
	return c.read()
}

// read returns the clock at this moment.
func (c clock) read() clock {
	c.now, c.wall = time.Now(), c.source()
	return c
}

// instant is the moment on the monotonic scale of this run.
func (c clock) instant() sequencer.Instant { return sequencer.Instant(c.now.Sub(c.started)) }

// millis is the moment on the wall clock.
func (c clock) millis() bridge.Millis { return bridge.MillisOf(c.wall) }

// wallOf returns the wall clock's nanoseconds at which a deadline of this run falls, as the wall clock stands now.
func (c clock) wallOf(deadline sequencer.Instant) int64 {
	return c.wall.UnixNano() + int64(deadline-c.instant())
}

// restore returns the deadline in this run of a hold that ends at the wall clock's nanoseconds.
func (c clock) restore(wall int64, whole time.Duration) sequencer.Instant {
	left := time.Duration(wall - c.wall.UnixNano())
	return c.instant() + sequencer.Instant(min(max(left, 0), whole))
}

// until returns how long it is from the moment to a deadline of this run.
func (c clock) until(deadline sequencer.Instant) time.Duration {
	return time.Duration(deadline - c.instant())
}
