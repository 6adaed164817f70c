package cluster

import (
	"context"
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

// notingPartitions tell when a partition has read something.
type notingPartitions struct {
	bridge.Partitions
	read chan struct{}
}

func (p notingPartitions) Take(ctx context.Context, partition int, from uint64,
	put func([]bridge.Row, uint64) error) (bridge.Partition, error) {
	taken, err := p.Partitions.Take(ctx, partition, from, put)
	return notingPartition{taken, p.read}, err
}

type notingPartition struct {
	bridge.Partition
	read chan struct{}
}

func (p notingPartition) Read(ctx context.Context, wait time.Duration) ([]bridge.IntakeRecord, bool, error) {
	records, end, err := p.Partition.Read(ctx, wait)
	if len(records) > 0 {
		p.read <- struct{}{}
	}
	return records, end, err
}

// TestPartitionsWaitForASlot: what comes while a partition waits goes with the same commit.
func TestPartitionsWaitForASlot(t *testing.T) {
	t.Parallel()
	b, read, commits := newBroker(1), make(chan struct{}, 9), make(chan int, 9)
	c, broker := newReplica(t, b, func(o *Options) {
		o.Commits, o.CommitWait = 1, time.Hour
		o.Partitions = notingPartitions{o.Partitions, read}
		o.Attempted = func(events []*bridge.Event, _ time.Duration, _ error) {
			if len(events) > 0 {
				commits <- len(events)
			}
		}
	})
	free, _ := c.slots.take(t.Context())
	broker.Assign(0)
	appendTo(t, c, processortest.Push("one", session, bridge.PhasePublish))
	<-read
	appendTo(t, c, processortest.Push("two", session, bridge.PhasePublish))
	free()
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
