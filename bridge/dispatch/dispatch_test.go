package dispatch

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

func TestOrderPerLaneUnderRandomFailures(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			p := &fakePublisher{}
			p.delay = func() time.Duration { return rand.N(20 * time.Millisecond) }
			p.answer = func(*bridge.Event) error { // called with the publisher locked
				switch n := r.IntN(10); {
				case n < 3:
					return errAway
				case n == 3:
					return errAckLost
				}
				return nil
			}
			h := run(t, p, Options{})
			h.outbox.add(events(50, 20)...)
			h.drain(10 * time.Minute)
			last := make(map[bridge.Lane]uint64)
			for _, e := range p.topic {
				if s := last[e.Lane]; e.Sequence != s && e.Sequence != s+1 {
					t.Fatalf("lane %v: sequence %d after %d", e.Lane, e.Sequence, s)
				}
				last[e.Lane] = e.Sequence
			}
			for l := range 50 {
				if last[lane(l)] != 20 {
					t.Errorf("lane %d ended at %d", l, last[lane(l)])
				}
			}
			if len(h.outbox.trimmed) != 1000 {
				t.Errorf("%d of 1000 events are trimmed", len(h.outbox.trimmed))
			}
		})
	}
}

func TestBackoffGrowsAndIsReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{}
		fail := true
		p.answer = func(*bridge.Event) error {
			if fail {
				return errAway
			}
			return nil
		}
		h := run(t, p, Options{InitialBackoff: 50 * time.Millisecond, MaxBackoff: 5 * time.Second})
		h.outbox.add(events(1, 1)...)
		time.Sleep(3 * time.Minute)
		p.locked(func() { fail = false })
		time.Sleep(6 * time.Second)
		p.locked(func() { fail = true })
		h.outbox.locked(func() {
			retries := h.outbox.retries[lane(0)]
			if len(retries) < 20 {
				t.Fatalf("only %d tries in 3 minutes", len(retries))
			}
			checkBounds(t, retries)
			delete(h.outbox.retries, lane(0))
		})
		h.outbox.add(&bridge.Event{Lane: lane(0), Sequence: 2})
		synctest.Wait()
		h.outbox.locked(func() {
			if got := h.outbox.retries[lane(0)]; len(got) != 1 || got[0] > 50*time.Millisecond {
				t.Errorf("the first wait after a success is %v", got)
			}
		})
		h.end()
	})
}

// checkBounds checks that every wait is within its bound and that some use most of it and some little: full jitter.
func checkBounds(t *testing.T, retries []time.Duration) {
	t.Helper()
	bound := 50 * time.Millisecond
	var low, high int
	for i, wait := range retries {
		if wait <= 0 || wait > bound {
			t.Fatalf("wait %d is %v, its bound %v", i, wait, bound)
		}
		if wait < bound/2 {
			low++
		} else {
			high++
		}
		bound = min(2*bound, 5*time.Second)
	}
	if low == 0 || high == 0 {
		t.Errorf("waits are not spread: %d low, %d high", low, high)
	}
}

func TestBackoffRemembersSoManyLanes(t *testing.T) {
	b := newBackoff(time.Millisecond, time.Second, 10)
	for i := range 1000 {
		b.next(lane(i))
		if want := min(i+1, 10); len(b.failures) != want {
			t.Fatalf("%d lanes are remembered, want %d", len(b.failures), want)
		}
	}
	if _, n := b.next(lane(999)); n != 2 {
		t.Errorf("a remembered lane has %d failures, not 2", n)
	}
	b.reset(lane(999))
	if _, n := b.next(lane(999)); n != 1 {
		t.Errorf("a forgotten lane has %d failures, not 1", n)
	}
}

func TestBackoffBound(t *testing.T) {
	b := newBackoff(50*time.Millisecond, 5*time.Second, 1)
	for n, want := range map[int]time.Duration{
		1: 50 * time.Millisecond, 2: 100 * time.Millisecond, 7: 3200 * time.Millisecond, 8: 5 * time.Second,
		1 << 40: 5 * time.Second,
	} {
		if got := b.bound(n); got != want {
			t.Errorf("bound after %d failures is %v, want %v", n, got, want)
		}
	}
}

func TestStuckLaneStarvesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{delay: func() time.Duration { return time.Millisecond }}
		p.answer = func(e *bridge.Event) error {
			if e.Lane == lane(0) {
				return errAway
			}
			return nil
		}
		h := run(t, p, Options{InFlight: 2})
		h.outbox.add(events(10, 100)...)
		time.Sleep(time.Second)
		if left := h.outbox.pending(); left != 100 {
			t.Errorf("%d events are left, want the 100 of the stuck lane", left)
		}
		if n := h.logs.FilterMessageSnippet("broker unavailable").Len(); n != 0 {
			t.Error("one stuck lane was taken for an outage")
		}
		h.end()
	})
}

func TestStuckLaneIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{}
		p.answer = func(e *bridge.Event) error {
			if e.Lane == lane(0) {
				return errAway
			}
			return nil
		}
		h := run(t, p, Options{})
		h.outbox.add(events(1, 1)...)
		for s := range 6000 {
			h.outbox.add(&bridge.Event{Lane: lane(1), Sequence: uint64(s + 1)})
			time.Sleep(10 * time.Millisecond)
		}
		if n := h.logs.FilterMessageSnippet("lane blocked").Len(); n != 1 {
			t.Errorf("told of %d times", n)
		}
		h.end()
	})
}

func TestDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{}
		p.answer = func(e *bridge.Event) error {
			if e.Sequence == 2 {
				return errLarge
			}
			return nil
		}
		h := run(t, p, Options{})
		h.outbox.add(events(3, 3)...)
		h.drain(time.Second)
		for l := range 3 {
			if got := h.outbox.dead[lane(l)]; len(got) != 1 || !strings.HasPrefix(got[0], "too_large: ") {
				t.Errorf("lane %d: dead letters %q", l, got)
			}
		}
		if len(p.topic) != 6 || p.tries != 9 {
			t.Errorf("%d events are out after %d tries, want 6 and 9", len(p.topic), p.tries)
		}
	})
}

func TestInFlightLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{delay: func() time.Duration { return time.Millisecond + rand.N(5*time.Millisecond) }}
		h := run(t, p, Options{InFlight: 7})
		h.outbox.add(events(100, 10)...)
		h.drain(time.Minute)
		if p.peak != 7 {
			t.Errorf("%d events were under way at once, want 7", p.peak)
		}
	})
}

func TestBackoffTakesNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{}
		p.answer = func(e *bridge.Event) error {
			if e.Lane != lane(9) {
				return errAway
			}
			return nil
		}
		h := run(t, p, Options{InFlight: 4, InitialBackoff: time.Hour, MaxBackoff: time.Hour})
		h.outbox.add(events(9, 1)...)
		synctest.Wait()
		h.outbox.add(&bridge.Event{Lane: lane(9), Sequence: 1})
		synctest.Wait()
		if len(p.topic) != 1 {
			t.Error("lanes in back-off keep another one from being published")
		}
		h.end()
	})
}
