package processor

import (
	"math"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
)

// Moment is one instant on the two clocks of a run: the monotonic one, which holds are measured on, and the wall clock,
// which may jump and is what events are stamped with.
type Moment struct {
	At   sequencer.Instant // since the run began
	Wall time.Time
}

// MomentOf returns the moment that lies so long after the run began.
func MomentOf(running time.Duration, wall time.Time) Moment {
	return Moment{sequencer.Instant(running), wall}
}

// Millis is the moment on the wall clock.
func (m Moment) Millis() bridge.Millis { return bridge.MillisOf(m.Wall) }

// WallOf returns the wall clock's nanoseconds at which a deadline of this run falls, as the wall clock stands now.
func (m Moment) WallOf(deadline sequencer.Instant) int64 {
	return m.Wall.UnixNano() + int64(deadline-m.At)
}

// DeadlineOf returns the deadline in this run of a hold that ends at the wall clock's nanoseconds, as the wall clock
// stands now.
func (m Moment) DeadlineOf(wall int64) sequencer.Instant {
	const most = math.MaxInt64 / 2 // or it would wrap around
	return m.At + sequencer.Instant(min(max(wall-m.Wall.UnixNano(), -most), most))
}

// bound returns a deadline with what is left of a hold: between nothing and the whole.
func (m Moment) bound(deadline sequencer.Instant, whole time.Duration) sequencer.Instant {
	return min(max(deadline, m.At), m.At+sequencer.Instant(max(whole, 0)))
}

// Until returns how long it is from the moment to a deadline of this run.
func (m Moment) Until(deadline sequencer.Instant) time.Duration {
	return time.Duration(deadline - m.At)
}
