package cluster

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor/processortest"
)

// TestSlots: whoever finds none waits for one, though not for ever.
func TestSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, begun := newSlots(&Options{Commits: 1, CommitWait: time.Second}), time.Now()
		free, waited := s.take(t.Context())
		if waited {
			t.Error("the first one waits")
		}
		none, waited := s.take(t.Context())
		if !waited || time.Since(begun) != time.Second {
			t.Errorf("waited: %v, for %v", waited, time.Since(begun))
		}
		none()
		time.AfterFunc(time.Second/2, free)
		free, waited = s.take(t.Context())
		if !waited || time.Since(begun) != 3*time.Second/2 {
			t.Errorf("waited: %v, until %v", waited, time.Since(begun))
		}
		free()
	})
}

// busyPartitions have something come to the intake whenever a partition has read something.
type busyPartitions struct {
	bridge.Partitions
	come func()
}

func (p busyPartitions) Take(ctx context.Context, partition int, from uint64,
	put func([]bridge.Row, uint64) error) (bridge.Partition, error) {
	taken, err := p.Partitions.Take(ctx, partition, from, put)
	return busyPartition{taken, p.come}, err
}

type busyPartition struct {
	bridge.Partition
	come func()
}

func (p busyPartition) Read(ctx context.Context, wait time.Duration) ([]bridge.IntakeRecord, bool, error) {
	records, end, err := p.Partition.Read(ctx, wait)
	if len(records) > 0 {
		p.come()
	}
	return records, end, err
}

// TestPartitionsWaitForASlot: what comes while a partition waits goes with the same commit.
func TestPartitionsWaitForASlot(t *testing.T) {
	t.Parallel()
	b, commits := newBroker(1), make(chan int, 9)
	other, _ := newReplica(t, b)
	two := sync.OnceFunc(func() { appendTo(t, other, processortest.Push("two", session, bridge.PhasePublish)) })
	c, broker := newReplica(t, b, func(o *Options) {
		o.Commits, o.CommitWait = 1, time.Millisecond
		o.Partitions = busyPartitions{o.Partitions, two}
		o.Attempted = func(events []*bridge.Event, _ time.Duration, _ error) {
			if len(events) > 0 {
				commits <- len(events)
			}
		}
	})
	free, _ := c.slots.take(t.Context())
	defer free()
	appendTo(t, c, processortest.Push("one", session, bridge.PhasePublish))
	broker.Assign(0)
	if n := <-commits; n != 2 {
		t.Errorf("%d events in the first commit, want 2", n)
	}
}

// TestCommitThatHangs: a partition whose commit hangs does not keep the others from theirs.
func TestCommitThatHangs(t *testing.T) {
	t.Parallel()
	b := newBroker(2)
	c, broker := newReplica(t, b, func(o *Options) { o.Commits = 1 })
	broker.Assign(0, 1)
	free, _ := c.slots.take(t.Context())
	defer free()
	for _, stream := range []string{"one", "two", "three", "four"} {
		appendTo(t, c, processortest.Push(stream, session, bridge.PhasePublish))
	}
	eventually(t, "all is out", func() bool { return len(outputs(b, 2)) == 4 })
}
