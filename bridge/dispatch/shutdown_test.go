package dispatch

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

// TestDrain: it returns when what was asked for is published, at once, and does not wait for what comes later.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{delay: func() time.Duration { return time.Second }}
		h := run(t, p, Options{Trim: 700 * time.Millisecond})
		h.outbox.add(events(2, 3)...)
		begun := time.Now()
		if err := h.d.Drain(t.Context(), func() bool { return h.outbox.pending() <= 2 }); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took < 2*time.Second || took > 2*time.Second+2*drainPause {
			t.Errorf("it took %v", took)
		}
		h.drain(time.Minute)
	})
}

// TestDrainOfADeadLetter: a dead letter leaves the outbox later than it is settled, with no event behind it.
func TestDrainOfADeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, &fakePublisher{answer: func(*bridge.Event) error { return errLarge }}, Options{Trim: time.Second})
		h.outbox.add(events(1, 1)...)
		moved := time.Now().Add(3 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := h.d.Drain(ctx, func() bool { return time.Now().After(moved) }); err != nil {
			t.Error(err)
		}
		if took := time.Since(moved); took > time.Second+2*drainPause {
			t.Errorf("it was noticed after %v", took)
		}
		h.end()
	})
}

// TestDrainEnds without the outbox published: at the end of its context, whose cause it returns, and in an outage.
func TestDrainEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := func() bool { return false }
		silent := &fakePublisher{hold: true}
		h := run(t, silent, Options{})
		h.outbox.add(events(1, 1)...)
		cause := errors.New("the journal has failed")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(cause) })
		if err := h.d.Drain(ctx, never); !errors.Is(err, cause) {
			t.Errorf("%v, not the cause", err)
		}
		silent.release()
		h.end()

		away := &fakePublisher{answer: func(*bridge.Event) error { return errAway }}
		h = run(t, away, Options{MaxBackoff: outageAfter / 10})
		h.outbox.add(events(1, 1)...)
		begun := time.Now()
		if err := h.d.Drain(t.Context(), never); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%v, not %v", err, ErrUnavailable)
		}
		if took := time.Since(begun); took > outageAfter*5/4 {
			t.Errorf("the outage was noticed after %v", took)
		}
		if err := h.d.Drain(t.Context(), func() bool { return true }); err != nil {
			t.Errorf("nothing was to be published, and yet %v", err)
		}
		h.end()
	})
}
