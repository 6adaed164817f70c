package cluster

import (
	"math"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// clock maps the time of the intake log to the moments of a processor. Events are stamped with the log's time, and
// holds that outlive their owner are kept by it, so that it does not matter whose clock is right: this replica's may be
// wrong by any amount, and so may that of the one before. What the log's clock shows is learnt from its records: none
// was written after it was read, and none before an instant at which the log was read to its end. In doubt the log's
// clock shows less, so that no hold ends before its time.
//
//	the log's clock = origin + how long the program has run
//	Moment.At       = how long the program has run, less the age of what the moment is of
type clock struct {
	now    func() (running time.Duration, wall time.Time)
	origin time.Time
	last   time.Duration // when the moment was that was given out last: none is before it

	end   time.Duration // the log was read to its end then
	ended bool          // so it was
	set   bool          // origin follows from a record that was written behind an end
}

// startClock returns the clock of an owner that takes over what was committed at an instant of the log's clock, and the
// moment of that; 0: nothing was. Until the log's clock is known it is taken to show what ours does.
func startClock(now func() (time.Duration, time.Time), committed bridge.Millis) (*clock, processor.Moment) {
	running, wall := now()
	c := &clock{now: now, origin: wall.Round(0).Add(-running), last: math.MinInt64}
	if committed == 0 {
		return c, c.present()
	}
	c.origin = c.origin.Add(max(0, time.UnixMilli(int64(committed)).Sub(wall)))
	began := c.committed(committed)
	c.last = time.Duration(began.At)
	return c, began
}

// committed returns the moment of what was committed at an instant of the log's clock.
func (c *clock) committed(at bridge.Millis) processor.Moment {
	wall := time.UnixMilli(int64(at))
	return processor.MomentOf(wall.Sub(c.origin), wall)
}

// running returns how long the program has run.
func (c *clock) running() time.Duration {
	running, _ := c.now()
	return running
}

// present returns the moment that it is.
func (c *clock) present() processor.Moment { return c.at(c.running()) }

func (c *clock) at(running time.Duration) processor.Moment {
	return processor.MomentOf(running, c.origin.Add(running))
}

// reach returns the moment of an instant, or of the last one that was given out if that is later; from then on none
// before it is given out.
func (c *clock) reach(running time.Duration) processor.Moment {
	c.last = max(c.last, running)
	return c.at(c.last)
}

// recorded returns the moment at which the log took a record that has just been read.
func (c *clock) recorded(at bridge.Millis) processor.Moment {
	running, wall := c.running(), time.UnixMilli(int64(at))
	instant := wall.Sub(c.origin)
	known := c.set || !c.ended
	if instant > running || instant < c.end && c.ended || !known {
		c.origin, instant = wall.Add(-running), running
	}
	c.set = c.ended
	c.last = max(c.last, instant)
	return processor.MomentOf(c.last, wall)
}

// readToEnd notes that at an instant there was nothing more in the log than has been read.
func (c *clock) readToEnd(running time.Duration) { c.end, c.ended = max(c.end, running), true }
