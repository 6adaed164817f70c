package dispatch

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
)

// TestOutageByFailures: 64 in a row of any lanes are an outage, 63 are not, however short the time.
func TestOutageByFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{answer: func(*bridge.Event) error { return errAway }}
		h := run(t, p, Options{InitialBackoff: time.Hour, MaxBackoff: time.Hour})
		for l := range 64 {
			if n := h.logs.FilterMessageSnippet("broker unavailable").Len(); n != 0 {
				t.Fatalf("an outage after %d failures", l)
			}
			h.outbox.add(&bridge.Event{Lane: lane(l), Sequence: 1})
			synctest.Wait()
		}
		if n := h.logs.FilterMessageSnippet("broker unavailable").Len(); n != 1 {
			t.Errorf("64 failures in a row were told of %d times", n)
		}
		h.end()
	})
}

// TestOutageByTime: two failures are an outage if a second passes between them without a success.
func TestOutageByTime(t *testing.T) {
	for after, want := range map[time.Duration]int{time.Second - 1: 0, time.Second: 1} {
		synctest.Test(t, func(t *testing.T) {
			p := &fakePublisher{answer: func(*bridge.Event) error { return errAway }}
			h := run(t, p, Options{InitialBackoff: 10 * time.Hour, MaxBackoff: 10 * time.Hour, Trim: time.Hour})
			h.outbox.add(&bridge.Event{Lane: lane(0), Sequence: 1})
			synctest.Wait()
			h.outbox.locked(func() {
				h.outbox.lanes[lane(0)].until = time.Now().Add(
					24 * time.Hour)
			}) // no chance has a say in it
			time.Sleep(after)
			h.outbox.add(&bridge.Event{Lane: lane(1), Sequence: 1})
			synctest.Wait()
			if n := h.logs.FilterMessageSnippet("broker unavailable").Len(); n != want {
				t.Errorf("failures %v apart: told of %d outages, want %d", after, n, want)
			}
			h.end()
		})
	}
}

// TestLastTrim: a failed trim at the end is logged, and nothing else.
func TestLastTrim(t *testing.T) {
	for _, broken := range []error{nil, errors.New("no space left")} {
		synctest.Test(t, func(t *testing.T) {
			c := &checkpointer{checkpoint: func(context.Context) error { return broken }}
			h := run(t, c, Options{Checkpoint: time.Hour})
			h.outbox.add(events(3, 1)...)
			synctest.Wait()
			h.end()
			logged := h.logs.FilterMessageSnippet("are published again after the restart").Len()
			if want := map[bool]int{true: 1}[broken != nil]; logged != want || h.logs.Len() != want {
				t.Errorf("%v: told %v", broken, h.logs.All())
			}
		})
	}
}

// TestCheckpointInterrupted: one that ends because the program does has not failed; one that says so by itself has.
func TestCheckpointInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, ending := &checkpointer{}, false
		c.checkpoint = func(ctx context.Context) error {
			if ending {
				return nil
			}
			<-ctx.Done()
			ending = true
			return ctx.Err()
		}
		h := run(t, c, Options{Checkpoint: time.Second})
		time.Sleep(1500 * time.Millisecond)
		h.end()
		if h.logs.Len() != 0 {
			t.Errorf("told %v", h.logs.All())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c := &checkpointer{checkpoint: func(context.Context) error { return context.Canceled }}
		h := run(t, c, Options{Checkpoint: time.Second})
		time.Sleep(1500 * time.Millisecond)
		if n := h.logs.FilterMessageSnippet("cannot be made durable").Len(); n != 1 {
			t.Errorf("told of it %d times", n)
		}
		h.end()
	})
}

// TestEverySlotIsReleasedOnce: as many events as there are places are under way at once, after every kind of answer
// too.
func TestEverySlotIsReleasedOnce(t *testing.T) {
	for name, answer := range map[string]error{"taken": nil, "rejected": errLarge, "unavailable": errAway} {
		synctest.Test(t, func(t *testing.T) {
			p := &fakePublisher{answer: func(*bridge.Event) error { return answer }}
			h := run(t, p, Options{InFlight: 3, InitialBackoff: time.Hour, MaxBackoff: time.Hour})
			h.outbox.add(events(10, 1)...) // each frees its place
			synctest.Wait()
			p.locked(func() {
				if p.tries != 10 {
					t.Fatalf("%s: %d of 10 events were tried", name, p.tries)
				}
				p.hold, p.peak = true, 0
			})
			for l := range 10 {
				h.outbox.add(&bridge.Event{Lane: lane(100 + l), Sequence: 1})
			}
			synctest.Wait()
			p.locked(func() {
				if p.inFlight != 3 || len(h.d.slots) != 3 {
					t.Errorf("%s: %d events are under way in %d places, want 3", name, p.inFlight, len(h.d.slots))
				}
			})
			p.release()
			h.end()
			if len(h.d.slots) != 0 {
				t.Errorf("%s: %d places are taken at the end", name, len(h.d.slots))
			}
		})
	}
}

// TestCountsOfManyAtOnce: what answers from many goroutines at once is counted to the last one.
func TestCountsOfManyAtOnce(t *testing.T) {
	const goroutines, each = 8, 5000
	b := newBackoff(time.Millisecond, time.Second, 10)
	var work sync.WaitGroup
	begin := make(chan struct{})
	for range goroutines {
		work.Go(func() {
			<-begin
			for range each {
				b.next(lane(0))
				b.reset(lane(1))
			}
		})
	}
	close(begin)
	work.Wait()
	if _, n := b.next(lane(0)); n != goroutines*each+1 {
		t.Errorf("counted %d failures of %d", n-1, goroutines*each)
	}
}

// TestOutageIsLocked: nobody else sees an outage while it begins or ends. The log is written meanwhile, and tries the
// lock.
func TestOutageIsLocked(t *testing.T) {
	o, changes := &outage{backlog: DefaultOptions().Backlog}, 0
	o.log = zap.New(zapcore.NewNopCore()).WithOptions(zap.WrapCore(func(zapcore.Core) zapcore.Core {
		core, _ := observer.New(zapcore.InfoLevel)
		return zapcore.RegisterHooks(core, func(e zapcore.Entry) error {
			if changes++; o.mu.TryLock() {
				o.mu.Unlock()
				t.Errorf("without the lock: %s", e.Message)
			}
			return nil
		})
	}))
	for range outageFailures {
		o.recordFailure(errAway)
	}
	if !o.active() {
		t.Error("no outage has begun")
	}
	o.recordSuccess()
	if changes != 2 || o.active() {
		t.Errorf("told of %d changes, want 2", changes)
	}
}

// TestWaitingForTheBroker: waiting ends as soon as it is available again, and with the program.
func TestWaitingForTheBroker(t *testing.T) {
	for _, back := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			p, away := &fakePublisher{delay: func() time.Duration { return 5 * time.Millisecond }}, true
			p.answer = func(*bridge.Event) error {
				if away {
					return errAway
				}
				return nil
			}
			h := run(t, p, Options{InitialBackoff: time.Millisecond, MaxBackoff: time.Millisecond})
			h.outbox.add(events(500, 1)...) // some event is always waiting for its turn
			time.Sleep(10 * time.Second)
			left := 500
			if back {
				p.locked(func() { away = false })
				time.Sleep(outageProbe + 20*time.Millisecond)
				left = 0
			}
			begun := time.Now()
			h.end()
			if took := time.Since(begun); took > 5*time.Millisecond {
				t.Errorf("it ends %v after it was told to, and its last answer takes 5 ms", took)
			}
			if h.outbox.pending() != left || len(h.d.slots) != 0 {
				t.Errorf("back %v: %d events are left, not %d, and %d places taken", back, h.outbox.pending(), left, len(h.d.slots))
			}
		})
	}
}
