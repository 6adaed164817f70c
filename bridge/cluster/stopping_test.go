package cluster

import (
	"context"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
	"livebridge/bridge/cluster/clustertest"
	"livebridge/bridge/processor/processortest"
)

// slowPartitions commit when they are released, or when the context of a commit ends.
type slowPartitions struct {
	bridge.Partitions
	commits, release chan struct{}
}

func (p slowPartitions) Take(ctx context.Context, partition int, from uint64, put func([]bridge.Row, uint64) error) (
	bridge.Partition, error,
) {
	taken, err := p.Partitions.Take(ctx, partition, from, put)
	if err != nil {
		return nil, err
	}
	return slowPartition{taken, taken.(bridge.PartitionProgress), p}, nil
}

type slowPartition struct {
	bridge.Partition
	bridge.PartitionProgress
	of slowPartitions
}

func (p slowPartition) Commit(ctx context.Context, c bridge.PartitionCommit) (uint64, error) {
	p.of.commits <- struct{}{}
	select {
	case <-p.of.release:
		return p.Partition.Commit(ctx, c)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// commit releases all commits until the context ends.
func (p slowPartitions) commit(ctx context.Context) {
	for {
		select {
		case <-p.commits:
			p.release <- struct{}{}
		case <-ctx.Done():
			return
		}
	}
}

// TestStopWithACommitUnderWay: a commit that is under way when a replica stops is finished, if it takes no longer than
// Grace; then the replica leaves.
func TestStopWithACommitUnderWay(t *testing.T) {
	t.Parallel()
	for _, grace := range []time.Duration{time.Minute, time.Millisecond} {
		b := newBroker(1)
		slow := slowPartitions{b.Replica(nil), make(chan struct{}), make(chan struct{})}
		c, broker, stop := stoppable(b, slow, grace)
		broker.Assign(0)
		appendTo(t, c, processortest.Push("a", session, bridge.PhasePublish))
		<-slow.commits
		ended := stop()
		release, want := slow.release, 1
		if grace < time.Minute {
			release, want = nil, 0
		}
		var err error
		select {
		case err = <-ended: // without it
		case release <- struct{}{}:
			err = <-ended
		}
		if err != nil || len(b.Output(0)) != want {
			t.Errorf("grace %v: %d events are out, want %d (%v)", grace, len(b.Output(0)), want, err)
		}
	}
}

// stoppable returns a replica on other partitions than its broker's, and what stops it.
func stoppable(b *clustertest.Broker, p bridge.Partitions, grace time.Duration) (
	*Cluster, *clustertest.Replica, func() <-chan error,
) {
	broker := b.Replica(nil)
	opts := DefaultOptions("caches")
	opts.FS, opts.Limits, opts.Grace = vfs.NewMem(), limits(), grace
	opts.Intake, opts.Partitions = broker, p
	c := New(opts)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, broker) }()
	return c, broker, func() <-chan error { cancel(); return ended }
}
