package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/bridge/cluster/clustertest"
	"livebridge/bridge/processor/processortest"
)

// watched returns an option that keeps the log, and the log.
func watched() (func(*Options), *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.InfoLevel)
	return func(o *Options) { o.Log = zap.New(core) }, logs
}

// changes returns the lines about changes of ownership: what, why, and the epoch of the owner; 0: it was none.
func changes(logs *observer.ObservedLogs) (lines []string) {
	for _, e := range logs.All() {
		fields := e.ContextMap()
		if why, said := fields["why"]; said && strings.HasPrefix(e.Message, "partition ") {
			epoch, _ := fields["epoch"].(uint64)
			lines = append(lines, fmt.Sprint(fields["partition"], " ", e.Message, ": ", why, " ", epoch))
		}
	}
	return lines
}

const (
	isTaken  = "partition is taken over; its state is restored"
	wasTaken = "partition taken over"
	gaveUp   = "partition given up: it goes to another replica, or this one stops"
	fencedBy = "partition given up: the broker has fenced this replica out"
	failedBy = "partition failed and is taken anew"
)

// checkChanges compares the lines of a log.
func checkChanges(t *testing.T, logs *observer.ObservedLogs, want ...string) {
	t.Helper()
	if got := changes(logs); !slices.Equal(got, want) {
		t.Errorf("the log has\n%q, want\n%q", got, want)
	}
}

// TestChangesAreLogged: each change of ownership says which partition, which epoch and why, and the stats have the last
// one.
func TestChangesAreLogged(t *testing.T) {
	t.Parallel()
	b := newBroker(2)
	keep, logs := watched()
	ctx, cancel := context.WithCancel(context.Background())
	c, broker, ended := runReplica(ctx, t, b, keep)
	broker.Assign(0)
	eventually(t, "it owns 0", func() bool { return c.ownership(0) == Owner })
	broker.Assign(0, 1)
	eventually(t, "it owns 1", func() bool { return c.ownership(1) == Owner })
	broker.Assign(1)
	eventually(t, "0 is given up", func() bool { return c.ownership(0) == NotOwner })
	if s := c.Stats()[0]; s.Taken.Why != WhyStart || s.GivenUp.Why != WhyRebalance || s.GivenUp.At.Before(s.Taken.At) {
		t.Errorf("%+v", s)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	checkChanges(t, logs, "0 "+isTaken+": start 0", "0 "+wasTaken+": start 1", "1 "+isTaken+": assigned 0",
		"1 "+wasTaken+": assigned 1", "0 "+gaveUp+": rebalance 1", "1 "+gaveUp+": shutdown 1")
}

// runReplica runs a replica until the context ends.
func runReplica(ctx context.Context, t *testing.T, b *clustertest.Broker, change ...func(*Options)) (
	*Cluster, *clustertest.Replica, <-chan error,
) {
	t.Helper()
	c, broker := notRunning(b, change...)
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, broker) }()
	return c, broker, ended
}

// notRunning returns a replica that does not take part yet.
func notRunning(b *clustertest.Broker, change ...func(*Options)) (*Cluster, *clustertest.Replica) {
	broker := b.Replica(nil)
	opts := DefaultOptions("caches")
	opts.FS, opts.Limits = vfs.NewMem(), limits()
	opts.Intake, opts.Partitions = broker, broker
	opts.Backoff, opts.BackoffMax = time.Millisecond, 10*time.Millisecond
	for _, f := range change {
		f(&opts)
	}
	return New(opts), broker
}

// endingPartitions end commits with an error, if there is one.
type endingPartitions struct {
	bridge.Partitions
	err *atomic.Pointer[error]
}

func (p endingPartitions) Take(ctx context.Context, partition int, from uint64,
	put func([]bridge.Row, uint64) error) (bridge.Partition, error) {
	taken, err := p.Partitions.Take(ctx, partition, from, put)
	if err != nil {
		return nil, err
	}
	return endingPartition{taken, taken.(bridge.PartitionProgress), p.err}, nil
}

type endingPartition struct {
	bridge.Partition
	bridge.PartitionProgress
	err *atomic.Pointer[error]
}

func (p endingPartition) Commit(ctx context.Context, c bridge.PartitionCommit) (uint64, error) {
	if err := p.err.Swap(nil); err != nil {
		return 0, *err
	}
	return p.Partition.Commit(ctx, c)
}

// TestWhyItWasTakenAgain: an error, another owner, and a transaction that took too long are told apart.
func TestWhyItWasTakenAgain(t *testing.T) {
	t.Parallel()
	const slow = "partition given up: a transaction took longer than the broker allows"
	for _, test := range []struct {
		err    error
		given  Why
		taken  Why
		line   string
		fenced uint64
	}{
		{bridge.Unavailable("no answer"), WhyError, WhyAfterError, failedBy, 0},
		{fmt.Errorf("begin: %w", bridge.ErrFenced), WhyFenced, WhyAfterFence, fencedBy, 1},
		{fmt.Errorf("begin: %w", bridge.ErrTimedOut), WhyTimedOut, WhyAfterFence, slow, 1},
	} {
		t.Run(string(test.given), func(t *testing.T) {
			t.Parallel()
			b := newBroker(1)
			keep, logs := watched()
			fails := &atomic.Pointer[error]{}
			c, broker := newReplica(t, b, keep, func(o *Options) { o.Partitions = endingPartitions{o.Partitions, fails} })
			broker.Assign(0)
			eventually(t, "it owns the partition", func() bool { return c.ownership(0) == Owner })
			fails.Store(&test.err)
			appendTo(t, c, processortest.Push("a", session, bridge.PhasePublish))
			eventually(t, "it was given up", func() bool { return c.Stats()[0].GivenUp.Why == test.given })
			broker.Assign(0) // which changes nothing after an error
			eventually(t, "the event is out", func() bool { return len(b.Output(0)) == 1 })
			checkChanges(t, logs, "0 "+isTaken+": start 0", "0 "+wasTaken+": start 1",
				fmt.Sprintf("0 %s: %s 1", test.line, test.given), fmt.Sprintf("0 %s: %s 0", isTaken, test.taken),
				fmt.Sprintf("0 %s: %s 2", wasTaken, test.taken))
			eventually(t, "the commit is counted", func() bool { return c.Stats()[0].Commits > 0 })
			s := c.Stats()[0]
			if s.Aborts != 1 || s.Fenced != test.fenced || s.Failures != 1-test.fenced || s.Epoch != 2 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestTimedOutIsFenced: whoever asks for the one sees the other, and not the reverse.
func TestTimedOutIsFenced(t *testing.T) {
	if !errors.Is(bridge.ErrTimedOut, bridge.ErrFenced) || errors.Is(bridge.ErrFenced, bridge.ErrTimedOut) {
		t.Error("it is not so")
	}
}

// TestCommittedDoesNotWait: what is committed counts as waiting no more, before the next Read says so.
func TestCommittedDoesNotWait(t *testing.T) {
	t.Parallel()
	p := newStats(1).of(0)
	p.read(5, time.Second)
	if p.committed(&batch{records: 2}); p.at(time.Minute).Backlog != 3 {
		t.Errorf("%+v", p.at(time.Minute))
	}
}

// TestBehind: what was not committed yet counts, and its age rises until it is.
func TestBehind(t *testing.T) {
	t.Parallel()
	b := newBroker(1)
	b.ReadMax = 2
	slow := slowPartitions{b.Replica(nil), make(chan struct{}), make(chan struct{})}
	c, broker, stop := stoppable(b, slow, time.Minute)
	for i := range 5 {
		appendTo(t, c, processortest.Push(fmt.Sprint("s", i), session, bridge.PhasePublish))
	}
	broker.Assign(0)
	for _, waits := range []uint64{5, 3, 1} {
		<-slow.commits
		s := c.Stats()[0]
		if s.Backlog != waits {
			t.Errorf("%d inputs wait, want %d", s.Backlog, waits)
		}
		eventually(t, "its age rises", func() bool { return c.Stats()[0].Behind > s.Behind })
		slow.release <- struct{}{}
	}
	go slow.commit(t.Context()) // of the tick that tells what time it is
	eventually(t, "nothing waits", func() bool { s := c.Stats()[0]; return s.Backlog == 0 && s.Behind == 0 })
	if err := <-stop(); err != nil {
		t.Error(err)
	}
}

// restoringPartitions say how much of a state was read, and wait.
type restoringPartitions struct {
	bridge.Partitions
	release chan struct{}
}

func (p restoringPartitions) Restored(int) float64 { return 0.25 }

func (p restoringPartitions) Take(ctx context.Context, partition int, from uint64,
	put func([]bridge.Row, uint64) error) (bridge.Partition, error) {
	select {
	case <-p.release:
		return p.Partitions.Take(ctx, partition, from, put)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestRestoreProgress: how much of the state was read is told while it is read.
func TestRestoreProgress(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	c, broker := newReplica(t, newBroker(1), func(o *Options) {
		o.Partitions = restoringPartitions{o.Partitions, release}
	})
	broker.Assign(0)
	eventually(t, "a quarter is restored", func() bool { return c.Stats()[0].Restored == 0.25 })
	close(release)
	eventually(t, "it owns it", func() bool { s := c.Stats()[0]; return s.State == Owner && s.Restored == 0 })
}
