package embedded

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/transports/nats"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// reservedIn returns what state.json reserves for the events.
func reservedIn(t *testing.T, e *Publisher) uint64 {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	st, err := e.store.readState()
	if err != nil {
		t.Fatal(err)
	}
	return st.Reserved[e.publish.Stream]
}

func lastSequence(t *testing.T, e *Publisher) uint64 {
	t.Helper()
	return natstest.Must(adminOf(t, e).Stream(t.Context(), e.publish.Stream)).CachedInfo().State.LastSeq
}

// TestSequencesAreReserved: no sequence is given out that state.json does not reserve, however many events come between
// two checkpoints.
func TestSequencesAreReserved(t *testing.T) {
	t.Parallel()
	e := syncing(t, t.TempDir(), nil)
	defer transporttest.Close(t, e)
	for round := range uint64(5) {
		transporttest.Deliver(t, e, transporttest.Events(50, round*20+1, 20))
		last, reserved := lastSequence(t, e), reservedIn(t, e)
		if last != (round+1)*1000 || reserved < last {
			t.Errorf("the stream is at %d, reserved is up to %d", last, reserved)
		}
	}
	checkpoint(t, e)
	if last, reserved := lastSequence(t, e), reservedIn(t, e); reserved < 2*last {
		t.Errorf("after %d events in one interval %d sequences are reserved", last, reserved-last)
	}
}

// TestReservationFails: while state.json cannot be written, the events beyond what is reserved are unavailable, and
// none gets a sequence.
func TestReservationFails(t *testing.T) {
	t.Parallel()
	broken, fails := errors.New("no space"), atomic.Bool{}
	e := syncing(t, t.TempDir(), func(path string) error {
		if fails.Load() && strings.Contains(path, stateFile) {
			return broken
		}
		return syncPath(path)
	})
	defer transporttest.Close(t, e)
	transporttest.Deliver(t, e, transporttest.Events(1, 1, 1))
	fails.Store(true)
	for _, event := range transporttest.Events(reserveMin-1, 2, 1) {
		e.Publish(event, func(err error) {
			if err != nil {
				t.Errorf("its sequence is reserved, but the answer is %v", err)
			}
		})
	}
	beyond := transporttest.Events(1, 3, 1)[0]
	if err := transporttest.Try(t, e, beyond); !errors.Is(err, broken) || bridge.IsRejected(err) {
		t.Errorf("the answer is %v", err)
	}
	fails.Store(false)
	if err := transporttest.Publish(t, e, beyond); err != nil {
		t.Error(err)
	}
	if last := lastSequence(t, e); last != reserveMin+1 {
		t.Errorf("the stream is at %d", last)
	}
}

// TestSequencesAfterCrashes: after each crash the stream goes on above everything that was reserved before, and stays
// there, whether it is stopped in order or not.
func TestSequencesAfterCrashes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	core, logs := observer.New(zap.WarnLevel)
	var floor uint64
	for n, crash := range []bool{true, true, false, true} {
		e := embedded(t, dir, func(o *nats.Options) { o.Log = zap.New(core) })
		if err := transporttest.Publish(t, e, natstest.Event("a", uint64(n+1))); err != nil {
			t.Fatal(err)
		}
		if last := lastSequence(t, e); last <= floor {
			t.Errorf("start %d: the event has sequence %d, but up to %d may have been given out", n, last, floor)
		}
		floor = lastSequence(t, e)
		if checkpoint(t, e); crash {
			floor = reservedIn(t, e)
		}
		transporttest.Close(t, e)
		if crash {
			forgetStop(t, dir)
		}
	}
	if n := logs.FilterMessageSnippet("lost messages").Len(); n > 0 {
		t.Errorf("nothing was lost, but the log has %v", logs.All())
	}
}
