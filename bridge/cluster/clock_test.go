package cluster

import (
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// twoClocks are a replica's own clock and the log's, which is so far ahead of it.
type twoClocks struct {
	running time.Duration
	ahead   time.Duration
}

func (c *twoClocks) own() (time.Duration, time.Time) { return c.running, began().Add(c.running) }

// log returns what the log's clock shows.
func (c *twoClocks) log() bridge.Millis { return bridge.MillisOf(began().Add(c.running + c.ahead)) }

// TestHoldIsServed: whatever this replica's clock shows, a hold of ten seconds that begins with a record which the log
// took two seconds ago ends in eight, once the log's clock is known.
func TestHoldIsServed(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{0, time.Hour, -time.Hour, 700 * time.Millisecond} {
		clocks := &twoClocks{running: time.Minute, ahead: ahead}
		c, _ := startClock(clocks.own, 0)
		c.readToEnd(clocks.running)
		first := clocks.log()
		clocks.running += 2 * time.Second
		c.recorded(clocks.log()) // calibrates
		got := c.committed(first)
		if deadline := time.Duration(got.At) + 10*time.Second; deadline != clocks.running+8*time.Second {
			t.Errorf("log's clock %v ahead: the hold ends in %v", ahead, deadline-clocks.running)
		}
		if got := c.reach(clocks.running); got.Millis() != clocks.log() {
			t.Errorf("log's clock %v ahead: the moment is %v, the log's clock shows %v", ahead, got.Millis(), clocks.log())
		}
	}
}

// TestRecordIsNoOlderThanTheEndBefore: a record that was not there when the log was read to its end was written later,
// even if the log's clock has been set back since.
func TestRecordIsNoOlderThanTheEndBefore(t *testing.T) {
	t.Parallel()
	clocks := &twoClocks{running: time.Minute}
	c, _ := startClock(clocks.own, 0)
	c.readToEnd(clocks.running)
	c.recorded(clocks.log()) // calibrates
	clocks.running += 5 * time.Second
	end := clocks.running
	c.readToEnd(end)
	clocks.ahead = -time.Hour
	clocks.running += time.Second
	got := c.recorded(clocks.log())
	if at := time.Duration(got.At); at < end || at > clocks.running {
		t.Errorf("it was written after %v, by the clock at %v", end, at)
	}
	if got.Millis() != clocks.log() {
		t.Errorf("it is stamped %v, the log has %v", got.Millis(), clocks.log())
	}
}

// TestMomentsRise: no moment is before one that was given out, whatever clocks do.
func TestMomentsRise(t *testing.T) {
	t.Parallel()
	clocks := &twoClocks{running: time.Minute}
	c, last := startClock(clocks.own, clocks.log())
	for i, ahead := range []time.Duration{0, time.Hour, -time.Hour, time.Second, 0, -time.Second} {
		clocks.ahead = ahead
		for _, step := range []func() processor.Moment{
			func() processor.Moment { return c.recorded(clocks.log()) },
			func() processor.Moment { return c.reach(clocks.running - time.Millisecond) },
		} {
			got := step()
			if got.At < last.At {
				t.Errorf("step %d: %v is before %v", i, got, last)
			}
			last = got
			clocks.running += 10 * time.Millisecond
		}
		c.readToEnd(clocks.running)
	}
}

// TestTakenOverBacklogKeepsItsTimes: what has waited in the intake while nobody owned the partition is decided at the
// moments at which the log took it.
func TestTakenOverBacklogKeepsItsTimes(t *testing.T) {
	t.Parallel()
	clocks := &twoClocks{running: time.Hour}
	committed := clocks.log()
	clocks.running += time.Minute
	first := clocks.log()
	clocks.running += 30 * time.Second
	second := clocks.log()
	clocks.running += time.Minute
	for _, committed := range []bridge.Millis{committed, 0} {
		c, began := startClock(clocks.own, committed)
		a, b := c.recorded(first), c.recorded(second)
		if b.At-a.At != 30e9 || time.Duration(b.At) != clocks.running-time.Minute {
			t.Errorf("records at %v and %v, now %v", a.At, b.At, clocks.running)
		}
		if committed != 0 && a.At-began.At != 60e9 {
			t.Errorf("committed at %v, record at %v", began.At, a.At)
		}
	}
}
