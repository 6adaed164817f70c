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
		rig := run(t, p, Options{FirstRetry: time.Hour, LastRetry: time.Hour})
		for l := range 64 {
			if n := rig.logs.FilterMessageSnippet("does not take events").Len(); n != 0 {
				t.Fatalf("an outage after %d failures", l)
			}
			rig.outbox.add(&bridge.Event{Lane: lane(l), Sequence: 1})
			synctest.Wait()
		}
		if n := rig.logs.FilterMessageSnippet("does not take events").Len(); n != 1 {
			t.Errorf("64 failures in a row were told of %d times", n)
		}
		rig.end()
	})
}

// TestOutageByTime: two failures are one, when a second lies between them and no success.
func TestOutageByTime(t *testing.T) {
	for after, want := range map[time.Duration]int{time.Second - 1: 0, time.Second: 1} {
		synctest.Test(t, func(t *testing.T) {
			p := &fakePublisher{answer: func(*bridge.Event) error { return errAway }}
			rig := run(t, p, Options{FirstRetry: 10 * time.Hour, LastRetry: 10 * time.Hour, Trim: time.Hour})
			rig.outbox.add(&bridge.Event{Lane: lane(0), Sequence: 1})
			synctest.Wait()
			rig.outbox.look(func() { rig.outbox.lanes[lane(0)].until = time.Now().Add(24 * time.Hour) }) // no chance has a say in it
			time.Sleep(after)
			rig.outbox.add(&bridge.Event{Lane: lane(1), Sequence: 1})
			synctest.Wait()
			if n := rig.logs.FilterMessageSnippet("does not take events").Len(); n != want {
				t.Errorf("failures %v apart: told of %d outages, want %d", after, n, want)
			}
			rig.end()
		})
	}
}

// TestLastTrim: what cannot be trimmed at the end is told of, and nothing else is.
func TestLastTrim(t *testing.T) {
	for _, broken := range []error{nil, errors.New("no space left")} {
		synctest.Test(t, func(t *testing.T) {
			c := &checkpointer{checkpoint: func(context.Context) error { return broken }}
			rig := run(t, c, Options{Checkpoint: time.Hour})
			rig.outbox.add(events(3, 1)...)
			synctest.Wait()
			rig.end()
			told := rig.logs.FilterMessageSnippet("is published again after the restart").Len()
			if want := map[bool]int{true: 1}[broken != nil]; told != want || rig.logs.Len() != want {
				t.Errorf("%v: told %v", broken, rig.logs.All())
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
		rig := run(t, c, Options{Checkpoint: time.Second})
		time.Sleep(1500 * time.Millisecond)
		rig.end()
		if rig.logs.Len() != 0 {
			t.Errorf("told %v", rig.logs.All())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c := &checkpointer{checkpoint: func(context.Context) error { return context.Canceled }}
		rig := run(t, c, Options{Checkpoint: time.Second})
		time.Sleep(1500 * time.Millisecond)
		if n := rig.logs.FilterMessageSnippet("cannot be made durable").Len(); n != 1 {
			t.Errorf("told of it %d times", n)
		}
		rig.end()
	})
}

// TestEveryPlaceIsFreedOnce: as many events as there are places are under way at once, after every kind of answer too.
func TestEveryPlaceIsFreedOnce(t *testing.T) {
	for name, answer := range map[string]error{"taken": nil, "rejected": errLarge, "unavailable": errAway} {
		synctest.Test(t, func(t *testing.T) {
			p := &fakePublisher{answer: func(*bridge.Event) error { return answer }}
			rig := run(t, p, Options{UnderWay: 3, FirstRetry: time.Hour, LastRetry: time.Hour})
			rig.outbox.add(events(10, 1)...) // each frees its place
			synctest.Wait()
			p.look(func() {
				if p.tries != 10 {
					t.Fatalf("%s: %d of 10 events were tried", name, p.tries)
				}
				p.hold, p.most = true, 0
			})
			for l := range 10 {
				rig.outbox.add(&bridge.Event{Lane: lane(100 + l), Sequence: 1})
			}
			synctest.Wait()
			p.look(func() {
				if p.now != 3 || len(rig.d.places) != 3 {
					t.Errorf("%s: %d events are under way in %d places, want 3", name, p.now, len(rig.d.places))
				}
			})
			p.release()
			rig.end()
			if len(rig.d.places) != 0 {
				t.Errorf("%s: %d places are taken at the end", name, len(rig.d.places))
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
				b.forget(lane(1))
			}
		})
	}
	close(begin)
	work.Wait()
	if _, n := b.next(lane(0)); n != goroutines*each+1 {
		t.Errorf("counted %d failures of %d", n-1, goroutines*each)
	}
}

// TestOutageIsLocked: nobody else sees an outage while it begins or ends. The log is written meanwhile, and tries the lock.
func TestOutageIsLocked(t *testing.T) {
	o, told := &outage{}, 0
	o.log = zap.New(zapcore.NewNopCore()).WithOptions(zap.WrapCore(func(zapcore.Core) zapcore.Core {
		core, _ := observer.New(zapcore.InfoLevel)
		return zapcore.RegisterHooks(core, func(e zapcore.Entry) error {
			if told++; o.mu.TryLock() {
				o.mu.Unlock()
				t.Errorf("without the lock: %s", e.Message)
			}
			return nil
		})
	}))
	for range outageFailures {
		o.failed(errAway)
	}
	if !o.away() {
		t.Error("no outage has begun")
	}
	o.end()
	if told != 2 || o.away() {
		t.Errorf("told of %d changes, want 2", told)
	}
}

// TestWaitingForTheBroker: whoever waits for it goes on as soon as it is back, and gives up with the program.
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
			rig := run(t, p, Options{FirstRetry: time.Millisecond, LastRetry: time.Millisecond})
			rig.outbox.add(events(500, 1)...) // some event is always waiting for its turn
			time.Sleep(10 * time.Second)
			left := 500
			if back {
				p.look(func() { away = false })
				time.Sleep(outageProbe + 20*time.Millisecond)
				left = 0
			}
			begun := time.Now()
			rig.end()
			if took := time.Since(begun); took > 5*time.Millisecond {
				t.Errorf("it ends %v after it was told to, and its last answer takes 5 ms", took)
			}
			if rig.outbox.left() != left || len(rig.d.places) != 0 {
				t.Errorf("back %v: %d events are left, not %d, and %d places taken", back, rig.outbox.left(), left, len(rig.d.places))
			}
		})
	}
}
