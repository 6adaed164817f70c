package dispatch

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

func TestTrimOnlyAfterCheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &checkpointer{}
		begun, proceed := make(chan struct{}), make(chan error)
		c.checkpoint = func(context.Context) error { begun <- struct{}{}; return <-proceed }
		h := run(t, c, Options{Checkpoint: time.Second})
		h.outbox.add(events(5, 1)...)
		synctest.Wait()
		h.outbox.locked(func() {
			if len(h.outbox.acked) != 5 || len(h.outbox.trimmed) != 0 {
				t.Fatalf("acknowledged %d, trimmed %d, before any checkpoint", len(h.outbox.acked), len(h.outbox.trimmed))
			}
		})
		<-begun
		h.outbox.add(&bridge.Event{Lane: lane(7), Sequence: 1}) // acknowledged while the checkpoint runs: not covered by it
		synctest.Wait()
		h.outbox.locked(func() {
			if len(h.outbox.trimmed) != 0 {
				t.Error("trimmed before the checkpoint ended")
			}
		})
		proceed <- nil
		synctest.Wait()
		h.outbox.locked(func() {
			if len(h.outbox.trimmed) != 5 {
				t.Errorf("trimmed %d after the checkpoint, want 5", len(h.outbox.trimmed))
			}
		})
		go func() { <-begun; proceed <- nil }()
		h.end()
		if len(h.outbox.trimmed) != 6 {
			t.Errorf("trimmed %d at the end, want 6", len(h.outbox.trimmed))
		}
	})
}

func TestCheckpointFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &checkpointer{}
		broken := errors.New("no space left")
		c.checkpoint = func(context.Context) error { return broken }
		h := run(t, c, Options{Checkpoint: time.Second})
		h.outbox.add(events(5, 1)...)
		time.Sleep(10*time.Second + time.Millisecond)
		h.outbox.locked(func() {
			if len(h.outbox.failures) != 10 || len(h.outbox.trimmed) != 0 {
				t.Errorf("%d failed checkpoints in 10 s, %d trimmed", len(h.outbox.failures), len(h.outbox.trimmed))
			}
			broken = nil
		})
		time.Sleep(time.Second)
		h.outbox.locked(func() {
			if len(h.outbox.trimmed) != 5 {
				t.Errorf("trimmed %d after it works again, want 5", len(h.outbox.trimmed))
			}
		})
		h.end()
		if n := h.logs.FilterMessageSnippet("cannot be made durable").Len(); n != 1 {
			t.Errorf("the failure was logged %d times, want once", n)
		}
		if n := h.logs.FilterMessageSnippet("durable at the broker again").Len(); n != 1 {
			t.Errorf("its end was logged %d times, want once", n)
		}
	})
}

func TestTrimWithoutCheckpointer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, &fakePublisher{}, Options{Trim: 50 * time.Millisecond})
		h.outbox.add(events(5, 1)...)
		time.Sleep(51 * time.Millisecond)
		h.outbox.locked(func() {
			if h.outbox.trims != 1 || len(h.outbox.trimmed) != 5 {
				t.Errorf("after 50 ms: %d trims, %d events trimmed", h.outbox.trims, len(h.outbox.trimmed))
			}
		})
		h.end()
	})
}

func TestShutdownWaitsForInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{hold: true}
		h := run(t, p, Options{InFlight: 3})
		h.outbox.add(events(5, 2)...)
		synctest.Wait()
		h.stop()
		synctest.Wait()
		select {
		case <-h.ended:
			t.Fatal("ended with events under way")
		default:
		}
		p.release()
		h.end()
		if p.tries != 3 || len(h.outbox.trimmed) != 3 || h.outbox.pending() != 7 {
			t.Errorf("%d tries, %d trimmed, %d left; want 3, 3, 7", p.tries, len(h.outbox.trimmed), h.outbox.pending())
		}
		for l, lane := range h.outbox.lanes {
			if lane.inFlight != nil {
				t.Errorf("%v was taken and not given back", l)
			}
		}
	})
}

func TestShutdownGraceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{hold: true}
		h := run(t, p, Options{})
		h.outbox.add(events(2, 1)...)
		synctest.Wait()
		h.stop()
		synctest.Wait()
		h.expire()
		<-h.ended
		p.release() // late answers do no harm
		if h.outbox.pending() != 0 || len(h.outbox.misuse) > 0 {
			t.Error("late answers were not settled", h.outbox.misuse)
		}
	})
}

func TestShutdownInsideAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{answer: func(*bridge.Event) error { return errAway }}
		h := run(t, p, Options{})
		h.outbox.add(events(500, 1)...)
		time.Sleep(10 * time.Second)
		h.end()
		if h.outbox.pending() != 500 {
			t.Errorf("%d events are left, want 500", h.outbox.pending())
		}
	})
}

func TestOutageIsLoggedOnceAndSlowsTriesDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{}
		away, most := true, int(time.Minute/outageProbe)+2*outageFailures
		p.answer = func(*bridge.Event) error {
			if away && p.tries <= most { // one that never slows down is not waited for
				return errAway
			}
			return nil
		}
		h := run(t, p, Options{})
		h.outbox.add(events(10_000, 1)...)
		time.Sleep(time.Minute)
		p.locked(func() {
			if away = false; p.tries > most {
				t.Fatalf("more than %d tries in a minute without a broker", most)
			}
		})
		time.Sleep(10 * time.Second)
		if left := h.outbox.pending(); left != 0 {
			t.Errorf("%d events are left 10 s after the broker is back", left)
		}
		h.end()
		if n := h.logs.FilterMessageSnippet("broker unavailable").Len(); n != 1 {
			t.Errorf("the outage was logged %d times", n)
		}
		back := h.logs.FilterMessageSnippet("broker available again").All()
		if len(back) != 1 {
			t.Fatalf("its end was logged %d times", len(back))
		}
		if took, _ := back[0].ContextMap()["after"].(time.Duration); took < time.Minute || took > 61*time.Second {
			t.Errorf("the outage is said to have lasted %v", took)
		}
	})
}

func TestOutageOfOneLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{answer: func(*bridge.Event) error { return errAway }}
		h := run(t, p, Options{})
		h.outbox.add(events(1, 1)...)
		time.Sleep(30 * time.Second)
		if n := h.logs.FilterMessageSnippet("broker unavailable").Len(); n != 1 {
			t.Errorf("the outage was logged %d times", n)
		}
		h.end()
	})
}

// notices makes n quarantine notices of one kind.
func notices(n int) []*bridge.Event {
	var out []*bridge.Event
	for i := range n {
		out = append(out, &bridge.Event{Lane: bridge.Lane{Kind: bridge.KindRecord}, Sequence: uint64(i + 1),
			Reason: bridge.ReasonTampered})
	}
	return out
}

// refuseNotices is the answer of a broker that takes events, and no notices.
func refuseNotices(e *bridge.Event) error {
	if e.Quarantined() {
		return errAway
	}
	return nil
}

// TestQuarantineFailing: notices that cannot be published are no outage of the broker, and no event waits behind them.
func TestQuarantineFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{answer: refuseNotices}
		h := run(t, p, Options{})
		h.outbox.add(notices(3)...)
		for range 30 { // a quiet night: nothing but notices for a while, then an event
			time.Sleep(30 * time.Second)
			h.outbox.add(&bridge.Event{Lane: lane(0), Sequence: 1})
			synctest.Wait()
			if left := h.outbox.pending(); left != 3 {
				t.Fatalf("%d events are left, want the 3 notices", left)
			}
		}
		p.locked(func() { p.answer = nil })
		time.Sleep(10 * time.Second)
		h.end()
		if n := h.logs.FilterMessageSnippet("broker unavailable").Len(); n != 0 {
			t.Error("the quarantine's trouble was taken for an outage")
		}
		for _, message := range []string{"quarantine notices cannot be published", "quarantine notices are published again"} {
			if n := h.logs.FilterMessageSnippet(message).Len(); n != 1 {
				t.Errorf("%q was logged %d times", message, n)
			}
		}
	})
}

// TestEventsFailing: a notice that is published is no end of the events' outage.
func TestEventsFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{}
		p.answer = func(e *bridge.Event) error {
			if e.Quarantined() {
				return nil
			}
			return errAway
		}
		h := run(t, p, Options{})
		h.outbox.add(events(100, 1)...)
		time.Sleep(10 * time.Second)
		h.outbox.add(notices(5)...)
		time.Sleep(10 * time.Second)
		if left := h.outbox.pending(); left != 100 {
			t.Errorf("%d events are left, want all but the notices", left)
		}
		h.end()
		if n := h.logs.FilterMessageSnippet("broker available again").Len(); n != 0 {
			t.Error("the outage was declared over by a notice")
		}
	})
}
