package kafka

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// noticeOf is the n-th notice of a partition.
func noticeOf(partition int, n uint64) *bridge.Event {
	e := *transporttest.Whole()[1]
	e.Lane.Stream, e.Sequence = fmt.Sprint(partition), n
	return &e
}

// structured is what consumers get of events.
func structured(events ...*bridge.Event) (all []string) {
	for _, e := range events {
		all = append(all, e.PartitionKey()+" "+string(e.AppendStructured(nil)))
	}
	return all
}

func textOf(records []transporttest.Record) (all []string) {
	for _, r := range records {
		all = append(all, r.Key+" "+string(r.Payload))
	}
	return all
}

// TestNoticesOfReplicas: notices are committed with the events of their partition, to the topic of notices, in order,
// however many partitions that has.
func TestNoticesOfReplicas(t *testing.T) {
	t.Parallel()
	for _, there := range []int32{0, 2} {
		f := startFake(t, kfake.NumBrokers(2))
		o := testOptions()
		o.Brokers, o.Partitions, o.Quarantine = joined(f.addrs), 3, fmt.Sprint("suspects-", there)
		if there > 0 {
			if err := f.CreateTopic(o.Quarantine, there, nil); err != nil {
				t.Fatal(err)
			}
		}
		r := openReplicas(t, o)
		awaitNotices(t, r)
		p, err := r.Take(soon(t), 2, 0, make(counter).put)
		if err != nil {
			t.Fatal(err)
		}
		events, notices := transporttest.Events(1, 1, 3), []*bridge.Event{noticeOf(2, 1), noticeOf(2, 2), noticeOf(2, 3)}
		for _, c := range [][]*bridge.Event{{events[0], notices[0], events[1], notices[1]}, {notices[2]}, {events[2]}} {
			if _, err := p.Commit(soon(t), bridge.PartitionCommit{Events: c}); err != nil {
				t.Fatal(err)
			}
		}
		if got := textOf(committedOf(t, o, o.Topic, 2)); !slices.Equal(got, structured(events...)) {
			t.Errorf("the topic of events has %q", got)
		}
		at := 2
		if there > 0 {
			at = 2 % int(there)
		}
		if got := textOf(committedOf(t, o, o.Quarantine, at)); !slices.Equal(got, structured(notices...)) {
			t.Errorf("partition %d of the topic of notices has %q", at, got)
		}
		_ = p.Close()
	}
}

// TestRejectedNotice: the commit says which notice the topic of notices never takes.
func TestRejectedNotice(t *testing.T) {
	t.Parallel()
	_, o, r, p := startReplica(t, nil)
	awaitNotices(t, r)
	large := noticeOf(0, 2)
	large.Data = fmt.Appendf(nil, "%q", strings.Repeat("x", 2<<20))
	events := transporttest.Events(1, 1, 2)
	_, err := p.Commit(soon(t), bridge.PartitionCommit{
		Events: []*bridge.Event{events[0], noticeOf(0, 1), events[1], large, noticeOf(0, 3)}})
	var rejected *bridge.RejectedEvent
	if !errors.As(err, &rejected) || rejected.Index != 3 || !strings.Contains(err.Error(), o.Quarantine) {
		t.Errorf("the answer is %v", err)
	}
	if got := committedOf(t, o, o.Topic, 0); len(got) > 0 {
		t.Errorf("events of the commit are out: %q", textOf(got))
	}
}

// TestNoticesWait: where the topic of notices is missing, callbacks are taken and events without notices are out; a
// commit with a notice fails as a whole, and says why.
func TestNoticesWait(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(1))
	o, logs := observed()
	o.Brokers, o.Partitions, o.Quarantine, o.Create = joined(f.addrs), 1, "suspects", false
	for name, policy := range map[string]string{"": "delete", intakeSuffix: "delete", stateSuffix: "compact"} {
		if err := f.CreateTopic(o.Topic+name, 1, map[string]string{"cleanup.policy": policy}); err != nil {
			t.Fatal(err)
		}
	}
	r := openReplicas(t, o)
	transporttest.AwaitLog(t, logs, "topic unavailable")
	p := takePartition(t, r)
	if err := r.Append(soon(t), 0, []byte("input")); err != nil {
		t.Errorf("append: %v", err)
	}
	event := transporttest.Events(1, 1, 1)
	if _, err := p.Commit(soon(t), bridge.PartitionCommit{Events: event}); err != nil {
		t.Fatal(err)
	}
	_, err := p.Commit(soon(t), bridge.PartitionCommit{Events: []*bridge.Event{noticeOf(0, 1)}})
	if err == nil || bridge.IsRejected(err) || !strings.Contains(err.Error(), o.Quarantine) {
		t.Errorf("a commit with a notice: %v", err)
	}
	if got := textOf(committedOf(t, o, o.Topic, 0)); !slices.Equal(got, structured(event...)) {
		t.Errorf("the topic of events has %q", got)
	}
	if !r.Connected() {
		t.Error("not connected without the topic of notices")
	}
}

// awaitNotices waits until the topic of notices was found.
func awaitNotices(t *testing.T, r *Replicas) {
	t.Helper()
	_, err := r.noticesOf(0)
	for ctx := soon(t); err != nil; _, err = r.noticesOf(0) {
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		<-time.After(time.Millisecond)
	}
}
