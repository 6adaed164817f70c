package journal

import (
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// clock reads the two times of a run together: the wall clock, which may jump and is what events are stamped with, and
// the monotonic one, which holds are measured on.
type clock struct {
	wall    func() time.Time
	started time.Time // carries Go's monotonic reading
}

func startClock(wall func() time.Time) clock { return clock{wall: wall, started: time.Now()} }

// moment returns both times as they are now.
func (c clock) moment() processor.Moment {
	return processor.MomentOf(time.Since(c.started), c.wall())
}

// millis returns the wall clock as it is now.
func (c clock) millis() bridge.Millis { return bridge.MillisOf(c.wall()) }
