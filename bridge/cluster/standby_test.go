package cluster

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/cluster/clustertest"
	"livebridge/bridge/processor/processortest"
)

const standbyStreams = 20

// filled returns a broker whose only partition has a state, and the replica that owns it.
func filled(t *testing.T) (*clustertest.Broker, *clustertest.Replica) {
	t.Helper()
	b := newBroker(1)
	c, broker := newReplica(t, b)
	broker.Assign(0)
	for i := range standbyStreams {
		appendTo(t, c, processortest.Push(fmt.Sprint("stream", i), session, bridge.PhasePublish))
	}
	eventually(t, "all is out", func() bool { return len(b.Output(0)) == standbyStreams })
	return b, broker
}

// TestCatchUp: a replica that has caught up before it takes part has nothing to restore when it takes a partition over.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	b, owner := filled(t)
	owner.Assign()
	c, broker := notRunning(b)
	c.CatchUp(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, broker) }()
	broker.Assign(0)
	eventually(t, "it owns the partition", func() bool { return c.ownership(0) == Owner })
	if rows := c.Stats()[0].RestoredRows; rows >= standbyStreams {
		t.Errorf("%d rows are restored", rows)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// readingPartitions tell from where the state is read by those who do not own it.
type readingPartitions struct {
	bridge.Partitions
	state func(ctx context.Context, from uint64) error
}

func (p readingPartitions) State(ctx context.Context, partition int, from uint64,
	put func([]bridge.Row, uint64) error) error {
	if err := p.state(ctx, from); err != nil {
		return err
	}
	return p.Partitions.State(ctx, partition, from, put)
}

// TestStandBy: a replica reads on what another one commits, and has nothing to restore when it takes over from it.
func TestStandBy(t *testing.T) {
	t.Parallel()
	b, owner := filled(t)
	var from atomic.Uint64
	c, broker := newReplica(t, b, func(o *Options) {
		o.ReadAhead = time.Millisecond
		o.Partitions = readingPartitions{o.Partitions,
			func(_ context.Context, at uint64) error { from.Store(at); return nil }}
	})
	eventually(t, "it has read something", func() bool { return from.Load() > 0 })
	owner.Assign()
	broker.Assign(0)
	eventually(t, "it owns the partition", func() bool { return c.ownership(0) == Owner })
	if rows := c.Stats()[0].RestoredRows; rows >= standbyStreams {
		t.Errorf("%d rows are restored", rows)
	}
	appendTo(t, c, processortest.Push("stream0", session, bridge.PhaseDone))
	eventually(t, "it works", func() bool { return len(b.Output(0)) == standbyStreams+1 })
}

// TestStandByMakesRoom: reading ahead ends when the partition is to be taken over.
func TestStandByMakesRoom(t *testing.T) {
	t.Parallel()
	b, owner := filled(t)
	reads := make(chan struct{}, 1)
	c, broker := newReplica(t, b, func(o *Options) {
		o.ReadAhead = time.Millisecond
		o.Partitions = readingPartitions{o.Partitions, func(ctx context.Context, _ uint64) error {
			reads <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}}
	})
	<-reads
	owner.Assign()
	broker.Assign(0)
	eventually(t, "it owns the partition", func() bool { return c.ownership(0) == Owner })
}
