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
	"go.uber.org/zap/zaptest"

	"livebridge/bridge"
	"livebridge/bridge/cluster/clustertest"
	"livebridge/bridge/processor/processortest"
)

// newReplica returns a replica that takes part until the test ends, and the broker as it sees it.
func newReplica(t *testing.T, b *clustertest.Broker, change ...func(*Options)) (*Cluster, *clustertest.Replica) {
	t.Helper()
	c, broker := notRunning(b, append([]func(*Options){func(o *Options) { o.Log = zaptest.NewLogger(t) }}, change...)...)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, broker) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return c, broker
}

func newBroker(partitions int) *clustertest.Broker {
	return clustertest.New(partitions, func() bridge.Millis { return bridge.MillisOf(time.Now()) })
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come to this: %s", what)
		}
	}
}

func (c *Cluster) ownership(partition int) Ownership { return c.Stats()[partition].State }

// outputs returns what all partitions have put out.
func outputs(b *clustertest.Broker, partitions int) (events []bridge.Event) {
	for p := range partitions {
		events = append(events, b.Output(p)...)
	}
	return events
}

// TestTwoReplicasShare: what either takes is decided by whoever owns its partition, also while partitions move.
func TestTwoReplicasShare(t *testing.T) {
	t.Parallel()
	const partitions, streams = 4, 60
	b := newBroker(partitions)
	one, first := newReplica(t, b)
	two, second := newReplica(t, b)
	first.Assign(0, 1, 2, 3)
	for i := range streams {
		switch i {
		case 20:
			first.Assign(0, 1)
			second.Assign(2, 3)
		case 40:
			second.Assign(0, 1, 2, 3)
			first.Assign()
		}
		stream := fmt.Sprint("stream", i)
		appendTo(t, one, processortest.Push(stream, session, bridge.PhaseDone))
		appendTo(t, two, processortest.Push(stream, session, bridge.PhasePublish))
		appendTo(t, one, processortest.Push(stream, session, bridge.PhasePublish))
	}
	eventually(t, "two events of each stream are out", func() bool { return len(outputs(b, partitions)) == 2*streams })
	for _, e := range outputs(b, partitions) {
		if e.Marks != 0 {
			t.Errorf("%s %s is marked %s", e.Lane, e.Type, e.Marks)
		}
	}
	eventually(t, "all is the second's", func() bool { return one.ownership(0) == NotOwner && two.ownership(0) == Owner })
}

func appendTo(t *testing.T, c *Cluster, a *bridge.Arrival) {
	t.Helper()
	if err := c.Append(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

// TestPartitionsThatStayGoOn: one that is given again along with another is not taken anew.
func TestPartitionsThatStayGoOn(t *testing.T) {
	t.Parallel()
	b := newBroker(2)
	c, broker := newReplica(t, b)
	broker.Assign(0)
	eventually(t, "it owns partition 0", func() bool { return c.ownership(0) == Owner })
	broker.Assign(0, 1)
	eventually(t, "it owns partition 1", func() bool { return c.ownership(1) == Owner })
	for i := range 20 {
		appendTo(t, c, processortest.Push(fmt.Sprint("s", i), session, bridge.PhasePublish))
	}
	eventually(t, "all events are out", func() bool { return len(outputs(b, 2)) == 20 })
	if n := c.Stats()[0].Takeovers; n != 1 || len(b.Output(0)) == 0 {
		t.Errorf("partition 0 was taken %d times", n)
	}
}

// TestFencedOwnerWaits: whoever is fenced out does not take the partition again until the membership gives it again.
func TestFencedOwnerWaits(t *testing.T) {
	t.Parallel()
	b := newBroker(1)
	zombie, first := newReplica(t, b)
	first.Assign(0)
	eventually(t, "the first owns it", func() bool { return zombie.ownership(0) == Owner })
	owner, second := newReplica(t, b)
	second.Assign(0) // the first has not heard of it
	eventually(t, "the second owns it", func() bool { return owner.ownership(0) == Owner })
	for i := range 20 {
		appendTo(t, zombie, processortest.Push(fmt.Sprint("s", i), session, bridge.PhasePublish))
		eventually(t, "it is out", func() bool { return len(b.Output(0)) == i+1 })
	}
	eventually(t, "the first is fenced out", func() bool { return zombie.ownership(0) == FencedOwner })
	if n := owner.Stats()[0].Takeovers; n != 1 || owner.ownership(0) != Owner || zombie.Stats()[0].Takeovers != 1 {
		t.Errorf("the second has taken it %d times, the first %d times", n, zombie.Stats()[0].Takeovers)
	}
	second.Assign()
	first.Assign(0)
	eventually(t, "the first owns it again", func() bool { return zombie.ownership(0) == Owner })
}

// TestFailedOwnerTakesAnew: after an error that is no fence the partition is taken anew, but only while the membership
// is known.
func TestFailedOwnerTakesAnew(t *testing.T) {
	t.Parallel()
	b := newBroker(1)
	var fails atomic.Bool
	away := errors.New("no answer from the coordinator")
	c, broker := newReplica(t, b, func(o *Options) {
		o.Partitions = failingPartitions{o.Partitions, &fails}
	})
	broker.Assign(0)
	eventually(t, "it owns the partition", func() bool { return c.ownership(0) == Owner })
	broker.FailNext(away)
	broker.FailNext(away) // the first was dealt with
	fails.Store(true)
	appendTo(t, c, processortest.Push("a", session, bridge.PhasePublish))
	eventually(t, "it fails", func() bool { return c.Stats()[0].Failures == 1 })
	fails.Store(false)
	for range 5 {
		broker.FailNext(away) // each time it has waited for longer
	}
	if s := c.Stats()[0]; s.State != WaitingTake || s.Takeovers != 1 {
		t.Errorf("it has taken the partition %d times and is %s while nobody tells whose it is", s.Takeovers, s.State)
	}
	broker.Assign(0)
	eventually(t, "the event is out", func() bool { return len(b.Output(0)) == 1 })
}

// failingPartitions fails to commit while it should.
type failingPartitions struct {
	bridge.Partitions
	fails *atomic.Bool
}

func (p failingPartitions) Take(ctx context.Context, partition int, from uint64, put func([]bridge.Row, uint64) error) (
	bridge.Partition, error,
) {
	taken, err := p.Partitions.Take(ctx, partition, from, put)
	return failingPartition{taken, p.fails}, err
}

type failingPartition struct {
	bridge.Partition
	fails *atomic.Bool
}

func (p failingPartition) Commit(ctx context.Context, c bridge.PartitionCommit) (uint64, error) {
	if p.fails.Load() {
		return 0, bridge.Unavailable("no answer")
	}
	return p.Partition.Commit(ctx, c)
}

// TestCommandsFromAnyReplica: a replica that owns nothing lists what lies in all partitions, releases and purges.
func TestCommandsFromAnyReplica(t *testing.T) {
	t.Parallel()
	const partitions = 3
	b := newBroker(partitions)
	_, first := newReplica(t, b)
	first.Assign(0, 1, 2)
	other, _ := newReplica(t, b)
	for _, a := range processortest.Suspects(bridge.ReasonExpired, "a b c d e f g") {
		appendTo(t, other, a)
	}
	var entries []bridge.Entry
	eventually(t, "seven entries", func() bool {
		var err error
		entries, err = other.List(bridge.QuarantineQueue, bridge.Query{Raw: true})
		return err == nil && len(entries) == 7
	})
	var numbers []uint64
	for _, e := range entries {
		numbers = append(numbers, e.Number)
	}
	if !slices.IsSorted(numbers) || len(slices.Compact(numbers)) != 7 || len(entries[0].Raw) == 0 {
		t.Fatalf("entries are numbered %d", numbers)
	}
	outcomes, err := other.Release(bridge.QuarantineQueue, append(numbers[:3:3], 1<<40))
	if err != nil || len(outcomes) != 4 || outcomes[3].Problem == "" {
		t.Fatalf("release: %+v, %v", outcomes, err)
	}
	for i, o := range outcomes[:3] {
		if o.Number != numbers[i] || o.Problem != "" || o.Emitted == nil || entries[i].Lane != o.Emitted.Lane {
			t.Errorf("release of %d: %+v", numbers[i], o)
		}
	}
	if outcomes, err = other.Purge(bridge.QuarantineQueue, numbers[2:4]); err != nil || outcomes[0].Problem == "" ||
		outcomes[1].Problem != "" {
		t.Errorf("purge: %+v, %v", outcomes, err)
	}
	entries, err = other.List(bridge.QuarantineQueue, bridge.Query{After: numbers[3], Limit: 2})
	if err != nil || len(entries) != 2 || entries[0].Number != numbers[4] {
		t.Errorf("after %d: %+v, %v", numbers[3], entries, err)
	}
}

// TestTooLargeForTheIntake: what the log never takes is not acknowledged.
func TestTooLargeForTheIntake(t *testing.T) {
	t.Parallel()
	b := newBroker(1)
	b.TooLong = 100
	c, _ := newReplica(t, b)
	err := c.Append(t.Context(), processortest.Push("a", session, bridge.PhasePublish))
	if !errors.Is(err, ErrTooLarge) || len(b.Intake(0)) != 0 {
		t.Errorf("append: %v; the log has %d records", err, len(b.Intake(0)))
	}
	c.Stop()
	err = c.Append(t.Context(), processortest.Push("a", session, bridge.PhasePublish))
	if !errors.Is(err, bridge.ErrStopping) {
		t.Errorf("append after Stop: %v", err)
	}
}

// TestLeavingOwnsNothing: a replica that stops has given all up and left, and its caches are kept.
func TestLeavingOwnsNothing(t *testing.T) {
	t.Parallel()
	b := newBroker(1)
	broker, disk := b.Replica(nil), vfs.NewMem()
	run := func() {
		opts := DefaultOptions("caches")
		opts.FS, opts.Limits = disk, limits()
		opts.Intake, opts.Partitions = broker, broker
		c := New(opts)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx, broker) }()
		broker.Assign(0)
		eventually(t, "it owns the partition", func() bool { return c.ownership(0) == Owner })
		n := len(b.Output(0))
		appendTo(t, c, processortest.Push(fmt.Sprint(n), session, bridge.PhasePublish))
		eventually(t, "the event is out", func() bool { return len(b.Output(0)) == n+1 })
		cancel()
		if err := <-ended; err != nil || c.ownership(0) != NotOwner {
			t.Errorf("it is %s at the end (%v)", c.ownership(0), err)
		}
		if restored := c.Stats()[0].RestoredRows; n > 0 && restored != 0 {
			t.Errorf("%d rows restored with a cache that has all of them", restored)
		}
	}
	run()
	run()
}
