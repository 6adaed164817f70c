package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/cluster/clustertest"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
)

// station is a service on a broker of its own, as one that the journal of one machine stands for as well: what it
// remembers is read in the same way. It is used by one goroutine.
type station struct {
	t      *testing.T
	broker *clustertest.Broker
	c      *Cluster
	stop   func()
}

func newStation(t *testing.T, partitions int) *station {
	t.Helper()
	s := &station{t: t, broker: newBroker(partitions)}
	s.broker.Rejects = func(e *bridge.Event) bool { return e.Lane.Stream == tooLarge }
	broker := s.broker.Replica(nil)
	opts := DefaultOptions("caches")
	opts.FS, opts.Limits, opts.Log = vfs.NewMem(), limits(), zap.NewNop()
	opts.Limits.DedupeMax = 10_000
	opts.Intake, opts.Partitions, opts.Membership = broker, broker, broker
	s.c = New(opts)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.c.Run(ctx) }()
	all := make([]int, partitions)
	for i := range all {
		all[i] = i
	}
	broker.Assign(all...)
	s.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	return s
}

// take has the station decide callbacks, and returns what it has published of each lane.
func (s *station) take(arrivals ...*bridge.Arrival) (byLane map[string][]string) {
	s.t.Helper()
	for _, a := range arrivals {
		appendTo(s.t, s.c, a)
	}
	s.settle()
	byLane = make(map[string][]string)
	for _, e := range outputs(s.broker, len(s.c.reviews)) {
		byLane[e.Lane.Stream] = append(byLane[e.Lane.Stream], fmt.Sprintf("%d %d %q %s", e.Sequence, e.Phase, e.Marks, e.ID))
	}
	return byLane
}

func (s *station) settle() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	if err := errors.Join(s.c.AwaitAll(ctx), s.c.Settle(ctx)); err != nil {
		s.t.Fatal(err)
	}
}

// entries returns what lies on the review queues, sorted.
func (s *station) entries() (all []string) {
	s.t.Helper()
	for _, q := range []bridge.ReviewQueue{bridge.QuarantineQueue, bridge.DeadLetterQueue} {
		entries, err := s.c.List(q, bridge.Query{})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range entries {
			all = append(all, fmt.Sprintln(q, e.ID, e.Reason, e.Detail))
		}
	}
	slices.Sort(all)
	return all
}

// remembered returns what the station remembers, once it has ended.
func (s *station) remembered() func(func(*processor.Memory) error) error {
	s.settle()
	s.stop()
	return func(f func(*processor.Memory) error) error { _, err := s.c.Memory(s.t.Context(), f); return err }
}

// handOver hands over to the station what another one remembers.
func (s *station) handOver(gate clustertest.Gate, memory func(func(*processor.Memory) error) error) (HandedOver,
	error) {
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	replica := s.broker.Replica(func(c context.Context, r clustertest.Request) clustertest.Verdict {
		if gate == nil {
			return clustertest.Proceed
		}
		v := gate(c, r)
		if v == clustertest.CrashBefore {
			cancel()
		}
		return v
	})
	return HandOver(ctx, HandOverOptions{Intake: replica, Salt: [16]byte{9}, Memory: memory, Log: zap.NewNop(),
		Backoff: time.Millisecond, BackoffMax: time.Millisecond})
}

// now is a session that signatures are good for.
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
