package outbox

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

func TestOneUnderWayPerLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 100)
		p.add(many(2, 2)...)
		first := p.take()
		if len(first) != 2 {
			t.Fatalf("%d events", len(first))
		}
		if more := p.now(); len(more) != 0 {
			t.Fatalf("%v came while another event of its lane was under way", more)
		}
		p.add("one")
		one := p.take()
		p.add("one") // its queue was empty
		if more := p.now(); len(more) != 0 {
			t.Fatalf("%v came while another event of its lane was under way", more)
		}
		p.Settle(one[0], bridge.Settlement{Retry: time.Hour})
		p.Settle(first[1], bridge.Settlement{})
		if second := p.take(); len(second) != 1 || second[0].Lane != first[1].Lane || second[0].Sequence != 2 {
			t.Fatalf("got %v", second)
		}
	})
}

// TestRetryComesInItsTime: an event that is to be tried again comes when its time is over, before those behind it.
func TestRetryComesInItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 100)
		p.add("a", "a")
		begun := time.Now()
		p.Settle(p.take()[0], bridge.Settlement{Retry: 3 * time.Second})
		p.drain(2, 1)
		if waited := time.Since(begun); waited != 3*time.Second {
			t.Errorf("came again after %v", waited)
		}
	})
}

// TestNextEndsWithItsContext: nobody waits for events longer than they want to.
func TestNextEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 100)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if events, err := p.Next(ctx); !errors.Is(err, context.DeadlineExceeded) || events != nil {
			t.Errorf("%v, %v", events, err)
		}
		p.add("a")
		if events, err := p.Next(ctx); !errors.Is(err, context.DeadlineExceeded) || events != nil {
			t.Errorf("%v, %v: given out to somebody who is gone", events, err)
		}
		p.drain(1, 1)
	})
}

// TestGivenOutTogether: Next gives out many events at once, and not all that there may be.
func TestGivenOutTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 10*nextAtOnce)
		p.commit(many(nextAtOnce+1, 1)...)
		if first, second := p.take(), p.take(); len(first) != nextAtOnce || len(second) != 1 {
			t.Errorf("%d, then %d", len(first), len(second))
		}
	})
}

// TestGivenOutIsNotKept: what was given out is no longer reachable from the lane's queue, whose array has room for
// more.
func TestGivenOutIsNotKept(t *testing.T) {
	p := open(t, 10)
	first, second := &bridge.Event{Lane: lane("a")}, &bridge.Event{Lane: lane("a")}
	p.emit(first, second)
	array := p.lanes[first.Lane].events
	if events, _ := p.next(); len(events) != 1 || array[0].Event != nil || array[1].Event != second {
		t.Errorf("given out: %v; kept: %v", events, array)
	}
}

// TestTrimIsRefused: what the broker could not make durable stays acknowledged, and goes with the next trim.
func TestTrimIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 10)
		p.add(many(1, 2)...)
		p.drain(2, 1)
		broken := errors.New("disk of the broker")
		if err := p.Trim(t.Context(), func(context.Context) error { return broken }); !errors.Is(err, broken) {
			t.Fatal(err)
		}
		if p.HasWrites() {
			t.Error("something is removed that the broker may lose")
		}
		p.trim()
		if len(p.lanes) != 0 || p.HasWrites() {
			t.Errorf("%d lanes are known", len(p.lanes))
		}
	})
}

// TestTrimLeavesWhatComesMeanwhile: what is acknowledged while the broker makes durable what came before is not covered
// by that.
func TestTrimLeavesWhatComesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 10)
		p.add("a", "a")
		p.drain(1, 1)
		err := p.Trim(t.Context(), func(context.Context) error { p.drain(1, 2); return nil })
		if removals, _ := p.TakeWrites(); err != nil || len(removals) != 1 || removals[0].Sequence != 1 {
			t.Errorf("%+v are removed, %v", removals, err)
		}
	})
}

// TestDrained: what counts is when the events were recorded that are not acknowledged, whether they are in memory,
// under way, or on disk only.
func TestDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 4)
		p.add("room1", "room2")
		at := time.Now()
		time.Sleep(time.Second)
		p.add("room3")
		drained := func(want bool, when string) {
			t.Helper()
			if p.Drained(at) != want {
				t.Errorf("Drained is %v %s", !want, when)
			}
		}
		drained(false, "with all in memory")
		events := append(p.take(), p.now()...)
		if len(events) != 3 {
			t.Fatal(len(events))
		}
		drained(false, "with all under way")
		settle := func(room3 bool) {
			for _, e := range events {
				if (e.Lane.Stream == "room3") == room3 {
					p.Settle(e, bridge.Settlement{})
				}
			}
		}
		settle(false)
		drained(true, "with the later one under way")
		p.add(many(1, 20)...)
		drained(false, "with more than memory takes")
		settle(true)
		p.drain(20, 1)
		drained(true, "with nothing left")
	})
}

// TestOldest: the age of the outbox is that of the oldest event, waiting or under way, and 0 when there is none.
func TestOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 10)
		is := func(want time.Duration, when string) {
			t.Helper()
			if got := p.Age(time.Now()); got != want {
				t.Errorf("%s: %v, want %v", when, got, want)
			}
		}
		is(0, "empty")
		p.add("a")
		time.Sleep(3 * time.Second)
		p.add("b")
		is(3*time.Second, "waiting")
		for _, e := range p.take() {
			is(3*time.Second, "under way")
			if e.Lane.Stream == "b" {
				p.Settle(e, bridge.Settlement{Retry: time.Minute})
			} else {
				defer p.Settle(e, bridge.Settlement{})
			}
		}
		time.Sleep(2 * time.Second)
		is(5*time.Second, "later")
	})
}
