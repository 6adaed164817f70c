package cluster

import (
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// clock maps the time of the intake log to the moments of a processor. Events are stamped with the log's time, and
// holds that outlive their owner are kept by it, so that it does not matter whose clock is right: this replica's may be
// wrong by any amount, and so may that of the one before. How far the log's clock is from ours is learnt from its
// records: none was written after it was read, and none before an instant at which the log was read to its end.
//
//	the log's wall clock = ours + skew
//	Moment.At            = how long the program has run, less the age of what the moment is of
type clock struct {
	now  func() (running time.Duration, wall time.Time)
	skew time.Duration
	last time.Duration // when the moment was that was given out last: none is before it

	end   time.Duration // the log was read to its end then
	ended bool          // so it was
	set   bool          // skew follows from a record that was written behind an end
}

// startClock returns the clock of an owner that takes over what was committed at an instant of the log's clock, and the
// moment of that; 0: nothing was.
func startClock(now func() (time.Duration, time.Time), committed bridge.Millis) (*clock, processor.Moment) {
	c := &clock{now: now}
	began := c.present()
	if committed != 0 {
		c.skew = max(0, time.UnixMilli(int64(committed)).Sub(began.Wall))
		began = c.committed(committed)
	}
	c.last = time.Duration(began.At)
	return c, began
}

// committed returns the moment of what was committed at an instant of the log's clock.
func (c *clock) committed(at bridge.Millis) processor.Moment {
	now, wall := c.present(), time.UnixMilli(int64(at))
	return processor.MomentOf(time.Duration(now.At)-now.Wall.Sub(wall), wall)
}

// running returns how long the program has run.
func (c *clock) running() time.Duration {
	running, _ := c.now()
	return running
}

// present returns the moment that it is.
func (c *clock) present() processor.Moment {
	running, wall := c.now()
	return processor.MomentOf(running, wall.Add(c.skew))
}

// reach returns the moment of an instant, or of the last one that was given out if that is later; from then on none
// before it is given out.
func (c *clock) reach(running time.Duration) processor.Moment {
	now := c.present()
	c.last = max(c.last, running)
	return processor.MomentOf(c.last, now.Wall.Add(c.last-time.Duration(now.At)))
}

// recorded returns the moment at which the log took a record that has just been read.
func (c *clock) recorded(at bridge.Millis) processor.Moment {
	running, ours := c.now()
	wall := time.UnixMilli(int64(at))
	age := ours.Add(c.skew).Sub(wall)
	if age < 0 {
		c.skew, age = c.skew-age, 0
	}
	instant := running - age
	if c.ended {
		if instant < c.end {
			c.skew -= c.end - instant
			instant = c.end
		}
		c.set = true
	}
	c.last = max(c.last, instant)
	return processor.MomentOf(c.last, wall)
}

// readToEnd notes that at an instant there was nothing more in the log than has been read.
func (c *clock) readToEnd(running time.Duration) { c.end, c.ended = max(c.end, running), true }
