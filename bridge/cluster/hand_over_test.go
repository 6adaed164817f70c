package cluster

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/cluster/clustertest"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
)

// current is a session that signatures are good for.
func current() bridge.Millis { return bridge.MillisOf(time.Now()) }

// reused is a callback under the signature of another one.
func reused(a *bridge.Arrival) *bridge.Arrival {
	other := *a
	other.Event.ID[0]++
	other.Event.Session++
	return &other
}

// past is what a service has taken before the change: pushes of many streams, of which some go on, one that the broker
// has rejected, and one for the quarantine.
func past(at bridge.Millis) (all []*bridge.Arrival) {
	for i := range 12 {
		stream := fmt.Sprint("s", i)
		all = append(all, processortest.Push(stream, at, bridge.PhasePublish))
		if i%2 == 0 {
			all = append(all, processortest.Push(stream, at, bridge.PhaseDone))
		}
	}
	return append(all, processortest.Push(tooLarge, at, bridge.PhasePublish),
		processortest.Suspect("suspect", 1, bridge.ReasonExpired))
}

// future is what comes after the past: the ends of what is open, and beginnings where nothing is.
func future(at bridge.Millis) (all []*bridge.Arrival) {
	for i := range 12 {
		session, phase := at, bridge.PhaseDone
		if i%2 == 0 {
			session, phase = at+1, bridge.PhasePublish
		}
		all = append(all, processortest.Push(fmt.Sprint("s", i), session, phase))
	}
	return all
}

// TestHandOver: what was taken before the change is known after it, wherever a stream is then: nothing comes out again,
// sequences go on by one, an end is ready since its beginning has come out, a signature is not good for something else,
// and the review queues have what they had.
func TestHandOver(t *testing.T) {
	t.Parallel()
	at := current()
	from := newStation(t, 2)
	before := from.take(past(at)...)
	entries := from.entries()
	memory := from.remembered()
	to := newStation(t, 3)
	defer func() { to.stop() }()
	handed, err := to.handOver(nil, memory)
	if err != nil || handed.Lanes != 14 || handed.Quarantined != 1 || handed.DeadLetters != 1 {
		t.Fatalf("%+v, %v", handed, err)
	}
	if got := to.take(past(at)...); len(got) > 0 {
		t.Errorf("published again: %v", got)
	}
	if got := to.entries(); !slices.Equal(got, entries) || len(got) != 2 {
		t.Errorf("entries %q, want %q", got, entries)
	}
	after := to.take(processortest.Push("s1", at, bridge.PhaseDone),
		processortest.Push("s2", at+1000, bridge.PhasePublish),
		reused(processortest.Push("s3", at, bridge.PhasePublish)), processortest.Push("s4", at-1000, bridge.PhasePublish))
	for stream, marks := range map[string]string{"s1": "", "s2": "", "s4": "late"} {
		last, next := before[stream][len(before[stream])-1], after[stream]
		var was, is uint64
		var phase int
		var mark string
		fmt.Sscan(last, &was)
		if len(next) == 1 {
			fmt.Sscanf(next[0], "%d %d %q", &is, &phase, &mark)
		}
		if is != was+1 || mark != marks {
			t.Errorf("%s: %q, then %q", stream, last, next)
		}
	}
	if len(after["s3"]) > 0 {
		t.Errorf("a signature was taken for another event: %v", after["s3"])
	}
}

// TestHandOverInterrupted: a hand-over that stops at any of its requests, before it is carried out or behind, and is
// begun again, comes to the same as one that does not.
func TestHandOverInterrupted(t *testing.T) {
	t.Parallel()
	at := current()
	from := newStation(t, 2)
	from.take(past(at)...)
	entries, memory := from.entries(), from.remembered()
	whole := newStation(t, 3)
	handed, err := whole.handOver(nil, memory)
	if err != nil {
		t.Fatal(err)
	}
	want := whole.take(future(at)...)
	whole.stop()
	for n := range int64(handed.Pieces) {
		for _, lost := range []bool{false, true} {
			to := newStation(t, 3)
			var requests atomic.Int64
			_, err := to.handOver(func(context.Context, clustertest.Request) clustertest.Verdict {
				switch i := requests.Add(1) - 1; {
				case i == n && lost:
					return clustertest.Lose
				case i >= n:
					return clustertest.CrashBefore
				}
				return clustertest.Proceed
			}, memory)
			if err == nil {
				t.Fatalf("at request %d it did not stop", n)
			}
			to.settle() // some of it is committed
			if again, err := to.handOver(nil, memory); err != nil || again != handed {
				t.Fatalf("%+v, %v", again, err)
			}
			got := to.take(past(at)...)
			if len(got) > 0 {
				t.Errorf("stopped at %d (lost: %v): published again: %v", n, lost, got)
			}
			if got := to.entries(); !slices.Equal(got, entries) {
				t.Errorf("stopped at %d (lost: %v): entries %q, want %q", n, lost, got, entries)
			}
			if got := to.take(future(at)...); !equalOutputs(got, want) {
				t.Errorf("stopped at %d (lost: %v):\n%v, want\n%v", n, lost, got, want)
			}
			to.stop()
		}
	}
}

func equalOutputs(a, b map[string][]string) bool {
	if len(a) != len(b) {
		return false
	}
	for stream, lines := range a {
		if !slices.Equal(lines, b[stream]) {
			return false
		}
	}
	return true
}

// TestHandOverOfMany: what is more than one row of the state takes goes in pieces, each with a row of its own, and what
// the log does not take at first is written again. It is not parallel: explorers would leave it little of the machine.
func TestHandOverOfMany(t *testing.T) {
	const many = 3 * processor.PieceBytes / 16
	s := &station{t: t, broker: newBroker(1)}
	s.broker.TooLong = processor.PieceBytes + 4096
	verdicts := []clustertest.Verdict{clustertest.Refuse, clustertest.Lose}
	handed, err := s.handOver(func(context.Context, clustertest.Request) (v clustertest.Verdict) {
		if len(verdicts) > 0 {
			v, verdicts = verdicts[0], verdicts[1:]
		}
		return v
	}, func(f func(*processor.Memory) error) (err error) {
		for i := uint64(0); i < many && err == nil; i++ {
			id := bridge.ID{1: 1}
			binary.BigEndian.PutUint64(id[8:], i)
			err = f(&processor.Memory{Identities: []bridge.ID{id}})
		}
		return err
	})
	if err != nil || handed.Identities != many || handed.Pieces < 3 {
		t.Fatalf("%+v, %v", handed, err)
	}
	s = begin(t, s.broker)
	defer func() { s.stop() }()
	s.settle()
	err = s.broker.Replica(nil).State(t.Context(), 0, 0, func(rows []bridge.Row, _ uint64) error {
		for _, row := range rows {
			if len(row.Value) > processor.PieceBytes+4096 {
				t.Errorf("a row has %d bytes", len(row.Value))
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestHandOverRefused: an entry that the intake log never takes ends the hand-over, and is named.
func TestHandOverRefused(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	defer func() { s.stop() }()
	s.broker.TooLong = 1000
	large := processortest.Suspect("large", 1, bridge.ReasonExpired)
	large.Raw = make([]byte, 2000)
	_, err := s.handOver(nil, func(f func(*processor.Memory) error) error {
		return f(&processor.Memory{Quarantined: []processor.RememberedSuspect{{Raw: large.Raw, Event: &large.Event}}})
	})
	if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), large.Event.ID.String()) {
		t.Errorf("it ends with %v", err)
	}
}
