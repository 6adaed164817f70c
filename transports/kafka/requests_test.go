package kafka

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// sent is the batches that a broker has received.
type sent struct {
	mu      sync.Mutex
	acks    map[int16]bool
	batches map[int32][]*kmsg.RecordBatch // of the events' topic, by partition
}

// observe has the brokers note every produce request and deal with it as always.
func observe(f *fake, topic string) *sent {
	s := &sent{acks: make(map[int16]bool), batches: make(map[int32][]*kmsg.RecordBatch)}
	f.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		s.note(r.(*kmsg.ProduceRequest), topic)
		return nil, nil, false
	})
	return s
}

func (s *sent) note(r *kmsg.ProduceRequest, topic string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acks[r.Acks] = true
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			var b kmsg.RecordBatch
			if err := b.ReadFrom(p.Records); err == nil && t.Topic == topic {
				s.batches[p.Partition] = append(s.batches[p.Partition], &b)
			}
		}
	}
}

// TestRequests: all replicas in sync are to have each batch; while nothing fails, one producer numbers the records of
// each partition, one after the other.
func TestRequests(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o := testOptions()
	o.Partitions = 3
	s := observe(f, o.Topic)
	p := f.dial(t, o)
	for n := range uint64(20) {
		transporttest.Deliver(t, p, transporttest.Events(60, n+1, 1))
		s.check(t, 3)
	}
}

// check checks everything sent so far.
func (s *sent) check(t *testing.T, partitions int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.acks) != 1 || !s.acks[-1] {
		t.Errorf("the acks asked for are %v", s.acks)
	}
	if len(s.batches) != partitions {
		t.Fatalf("%d of %d partitions were sent to", len(s.batches), partitions)
	}
	producer := s.batches[0][0].ProducerID
	for partition, batches := range s.batches {
		next := int32(0)
		for _, b := range batches {
			if b.ProducerID != producer || producer < 0 || b.ProducerEpoch != 0 || b.FirstSequence != next {
				t.Fatalf("partition %d: a batch of producer %d epoch %d begins with %d, not of producer %d with %d",
					partition, b.ProducerID, b.ProducerEpoch, b.FirstSequence, producer, next)
			}
			next += b.NumRecords
		}
	}
}

// TestOneBatchAtATime: while a partition has a batch under way, nothing else of it is to be sent.
func TestOneBatchAtATime(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o := testOptions()
	o.Partitions = 1
	p := f.dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(20, 1, 1))
	asked, release := make(chan struct{}), make(chan struct{})
	f.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		f.DropControl()
		close(asked)
		<-release
		return nil, nil, false
	})
	answered := make(chan error, 20)
	for i, e := range transporttest.Events(20, 2, 1) {
		p.Publish(e, func(err error) { answered <- err })
		if i == 0 {
			transporttest.Receive(t, asked)
		}
	}
	if only := p.states(o.Topic)[0]; only.Scheduled || only.Waiting != 19 {
		t.Errorf("%d of 19 records wait, and are to be sent: %v", only.Waiting, only.Scheduled)
	}
	close(release)
	for range 20 {
		if err := transporttest.Receive(t, answered); err != nil {
			t.Error(err)
		}
	}
	once(t, f, o.Topic, transporttest.Events(20, 1, 2))
}

// TestSlowAnswerHoldsUpNoOtherPartition: what waits for another partition goes out while the answer to the first
// request is still to come, though nothing else happens.
func TestSlowAnswerHoldsUpNoOtherPartition(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(1))
	o := testOptions()
	o.Partitions = 2
	p := f.dial(t, o)
	events := transporttest.Events(20, 1, 2)
	transporttest.Deliver(t, p, events[:20])
	slow := partitionOf(p, events[20])
	answered := make(chan int32, len(events))
	asked, release := make(chan struct{}), make(chan struct{})
	var later atomic.Bool
	f.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		if !later.Swap(true) {
			close(asked)
			f.SleepControl(func() { <-release })
		}
		return nil, nil, false
	})
	publish := func(e *bridge.Event) {
		p.Publish(e, func(err error) {
			if err != nil {
				t.Error(err)
			}
			answered <- partitionOf(p, e)
		})
	}
	publish(events[20])
	transporttest.Receive(t, asked)
	other := slices.IndexFunc(events[20:], func(e *bridge.Event) bool { return partitionOf(p, e) != slow })
	publish(events[20+other])
	if first := transporttest.Receive(t, answered); first == slow {
		t.Error("the other partition waits for it")
	}
	close(release)
	transporttest.Receive(t, answered)
}

// TestBatchesFitTheTopic: batches are no larger than the topic permits. One event that is larger by itself is
// for the broker to judge.
func TestBatchesFitTheTopic(t *testing.T) {
	t.Parallel()
	const limit = 20_000
	f := startFake(t)
	o := testOptions()
	if err := f.CreateTopic(o.Topic, 3, map[string]string{"max.message.bytes": strconv.Itoa(limit)}); err != nil {
		t.Fatal(err)
	}
	s := observe(f, o.Topic)
	p := f.dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(10, 1, 1))
	if err := publishLarge(t, p, 2, limit); !bridge.IsRejected(err) || !strings.Contains(err.Error(),
		"max.message.bytes") {
		t.Errorf("the answer is %v", err)
	}
	transporttest.Deliver(t, p, transporttest.Events(2000, 3, 1)) // so many that some wait for others
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, batches := range s.batches {
		for _, b := range batches {
			if size := int(b.Length) + 12; b.NumRecords > 1 && size > limit {
				t.Errorf("a batch of %d records has %d bytes", b.NumRecords, size)
			}
		}
	}
}

// publishLarge publishes an event of more than a size, and returns the answer.
func publishLarge(t *testing.T, p *Publisher, sequence uint64, size int) error {
	large := transporttest.Events(1, sequence, 1)[0]
	large.Data = []byte(`"` + strings.Repeat("x", size) + `"`)
	return transporttest.Try(t, p, large)
}
