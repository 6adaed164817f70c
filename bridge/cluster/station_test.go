package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/cluster/clustertest"
	"livebridge/bridge/processor"
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
	return begin(t, newBroker(partitions))
}

// begin begins a service on a broker on which there may be something already.
func begin(t *testing.T, b *clustertest.Broker) *station {
	t.Helper()
	s := &station{t: t, broker: b}
	s.broker.Rejects = func(e *bridge.Event) bool { return e.Lane.Stream == tooLarge }
	broker := s.broker.Replica(nil)
	opts := DefaultOptions("caches")
	opts.FS, opts.Limits, opts.Log = vfs.NewMem(), limits(), zap.NewNop()
	opts.Limits.DedupeMax = 10_000_000
	opts.Intake, opts.Partitions = broker, broker
	s.c = New(opts)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.c.Run(ctx, broker) }()
	all := make([]int, broker.Partitions())
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
