package kafka

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// holdBack refuses to end transactions until it is set to false. The channel is told once that was tried: all that
// belongs to the transaction is written by then.
func holdBack(f *fake) (held *atomic.Bool, tried chan struct{}) {
	held, tried = new(atomic.Bool), make(chan struct{}, 1)
	held.Store(true)
	f.ControlKey(int16(kmsg.EndTxn), func(r kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		if held.Load() {
			select {
			case tried <- struct{}{}:
			default:
			}
			return refusal(r, 15), nil, true
		}
		return nil, nil, false
	})
	return held, tried
}

// transactionState returns the broker's word for what a transactional id does.
func transactionState(t *testing.T, f *fake, id string) string {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(f.addrs...))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := kmsg.NewPtrDescribeTransactionsRequest()
	r.TransactionalIDs = []string{id}
	answer, err := r.RequestWith(soon(t), c)
	if err != nil || len(answer.TransactionStates) != 1 {
		t.Fatalf("%+v, %v", answer, err)
	}
	return answer.TransactionStates[0].State
}

// slowCommit commits while the broker refuses to end the transaction. It calls meanwhile once everything is written,
// and then lets the broker answer.
func slowCommit(t *testing.T, f *fake, o Options, p bridge.Partition, meanwhile func(state func() string)) error {
	t.Helper()
	held, tried := holdBack(f)
	result := make(chan error, 1)
	ctx := soon(t)
	go func() { _, err := p.Commit(ctx, counted(1, 1)); result <- err }()
	state := func() string { return transactionState(t, f, groupOf(o)+"-"+o.Topic+"-0") }
	transporttest.Receive(t, tried)
	meanwhile(state)
	held.Store(false)
	return <-result
}

// TestTransactionTimesOut: an owner whose transaction the broker has ended by itself says so, and that nobody else was
// given the partition, where the group confirms that; else it says what may be.
func TestTransactionTimesOut(t *testing.T) {
	t.Parallel()
	timesOut := func(state func() string) {
		transporttest.Eventually(t, "the broker ends it", func() bool { return state() != "Ongoing" })
	}
	for _, c := range []struct {
		name             string
		member, timedOut bool
		said             string
	}{
		{"of a member", true, true, "took longer than it allows; no other replica was given the partition"},
		{"of nobody", false, false, "or another replica has taken the partition over"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, o, r, p := startReplica(t, func(o *Options) { o.transaction = 300 * time.Millisecond })
			if c.member {
				m, err := r.Join()
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = m.Leave(soon(t)) }()
				if all, err := m.Next(soon(t)); err != nil || len(all) != 1 {
					t.Fatal(all, err)
				}
			}
			err := slowCommit(t, f, o, p, timesOut)
			if !errors.Is(err, bridge.ErrFenced) || errors.Is(err, bridge.ErrTimedOut) != c.timedOut ||
				!strings.Contains(err.Error(), c.said) {
				t.Errorf("it says %v", err)
			}
		})
	}
}

// TestAnotherOwnerIsNoTimeOut: where the transaction had time left, it was another owner.
func TestAnotherOwnerIsNoTimeOut(t *testing.T) {
	t.Parallel()
	f, o, r, p := startReplica(t, nil)
	err := slowCommit(t, f, o, p, func(func() string) { takePartition(t, r) })
	if !errors.Is(err, bridge.ErrFenced) || errors.Is(err, bridge.ErrTimedOut) ||
		!strings.Contains(err.Error(), ": another replica has taken the partition over") ||
		strings.Contains(err.Error(), "the broker has ended") {
		t.Errorf("it says %v", err)
	}
}

// TestPartitionProgress: owners tell their epoch and how much waits, and how far a takeover has read the state.
func TestPartitionProgress(t *testing.T) {
	t.Parallel()
	_, _, r, p := startReplica(t, nil)
	first := p.(bridge.PartitionProgress)
	for range 5 {
		transporttest.Eventually(t, "an input is taken", func() bool { return r.Append(soon(t), 0, []byte("input")) == nil })
	}
	before := first.Epoch()
	records, _, err := p.Read(soon(t), 20*time.Second)
	if err != nil || len(records)+int(first.Behind()) != 5 {
		t.Errorf("%d inputs were read and %d wait, %v", len(records), first.Behind(), err)
	}
	for n := range uint64(3) {
		if _, err := p.Commit(soon(t), counted(n+1, 1)); err != nil {
			t.Fatal(err)
		}
	}
	var parts []float64
	taken, err := r.Take(soon(t), 0, 0, func([]bridge.Row, uint64) error {
		parts = append(parts, r.Restored(0))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	if len(parts) == 0 || parts[0] < 0 || parts[0] > 1 || r.Restored(0) != 1 {
		t.Errorf("it has read %v of the state and then %v", parts, r.Restored(0))
	}
	if second := taken.(bridge.PartitionProgress).Epoch(); second == before {
		t.Errorf("both owners have the epoch %d", second)
	}
}

// TestWhoseItIs: the group is asked whether a partition is this replica's, and says no to one that it has expelled.
func TestWhoseItIs(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(3))
	o := testOptions()
	o.Brokers, o.Partitions = joined(f.addrs), 2
	r := openReplicas(t, o)
	m, err := r.Join()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Leave(soon(t)) }()
	if r.ours(soon(t), 0) {
		t.Error("it has a partition before the group has given one")
	}
	if all, err := m.Next(soon(t)); err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	if !r.ours(soon(t), 0) || r.ours(soon(t), 2) {
		t.Errorf("of partitions 0 and 2 it says %v and %v", r.ours(soon(t), 0), r.ours(soon(t), 2))
	}
	f.ControlKey(int16(kmsg.Heartbeat), func(r kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		answer := r.ResponseKind().(*kmsg.HeartbeatResponse)
		answer.ErrorCode = kerr.IllegalGeneration.Code
		return answer, nil, true
	})
	if r.ours(soon(t), 0) {
		t.Error("it is the owner of a generation before")
	}
}
