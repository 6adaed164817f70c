package kafka

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// TestTransactionCodes: an error that passes costs a repetition, another ends the partition and leaves nothing behind.
func TestTransactionCodes(t *testing.T) {
	t.Parallel()
	f, o, r, p := startReplica(t, nil)
	n := uint64(0)
	keys := map[kmsg.Key][]int16{
		kmsg.AddPartitionsToTxn: {14, 15, 16, 51, 3, -1}, kmsg.Produce: {3, 5, 6, 7, 9, 19, 20},
		kmsg.EndTxn: {14, 15, 16, 51},
	}
	for key, codes := range keys {
		for _, code := range codes {
			asked := refuseNext(f, key, code)
			n++
			if _, err := p.Commit(soon(t), counted(n, 1)); err != nil || asked.Load() != 1 {
				t.Fatalf("%s answered with %d, %d times: %v", key.Name(), code, asked.Load(), err)
			}
		}
	}
	checkCommitted(t, r, o, n)
	for key, codes := range map[kmsg.Key][]int16{
		kmsg.AddPartitionsToTxn: {47, 90, 48, 49}, kmsg.Produce: {47, 90, 45, 48}, kmsg.EndTxn: {47, 90, 48, 49},
	} {
		for _, code := range codes {
			refuseNext(f, key, code)
			_, err := p.Commit(soon(t), counted(n+1, 1))
			if fenced := code == 47 || code == 90; err == nil || errors.Is(err, bridge.ErrFenced) != fenced {
				t.Errorf("%s answered with %d ends with %v", key.Name(), code, err)
			}
			if _, again := p.Commit(soon(t), counted(n+1, 1)); again == nil {
				t.Fatalf("%s answered with %d, and the partition goes on", key.Name(), code)
			}
			_ = p.Close()
			p = takePartition(t, r)
		}
	}
	checkCommitted(t, r, o, n)
}

// TestTakeAsksAgain: who becomes the owner while the coordinator moves or still writes markers waits for it.
func TestTakeAsksAgain(t *testing.T) {
	t.Parallel()
	f, o, r, p := startReplica(t, nil)
	if _, err := p.Commit(soon(t), counted(1, 1)); err != nil {
		t.Fatal(err)
	}
	for _, code := range []int16{14, 15, 16, 51} {
		refuseNext(f, kmsg.InitProducerID, code)
		takePartition(t, r)
	}
	refuseNext(f, kmsg.InitProducerID, 53)
	_, err := r.Take(soon(t), 0, 0, make(counter).put)
	if err == nil || !strings.Contains(err.Error(), "allow WRITE and DESCRIBE on transactional ids") {
		t.Errorf("without the right to the transactional id it says %v", err)
	}
	checkCommitted(t, r, o, 1)
}

// TestFenceBeforeReading: a position that is read before the fence is too early, so nothing is.
func TestFenceBeforeReading(t *testing.T) {
	t.Parallel()
	f, _, r, _ := startReplica(t, nil)
	var fenced, early atomic.Bool
	f.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		fenced.Store(true)
		return nil, nil, false
	})
	for _, key := range []kmsg.Key{kmsg.ListOffsets, kmsg.Fetch} {
		f.ControlKey(int16(key), func(q kmsg.Request) (kmsg.Response, error, bool) {
			f.KeepControl()
			if asksFor(q, r.stateTopic) && !fenced.Load() {
				early.Store(true)
			}
			return nil, nil, false
		})
	}
	takePartition(t, r)
	if !fenced.Load() || early.Load() {
		t.Errorf("fenced: %v, and the state was read before: %v", fenced.Load(), early.Load())
	}
}

// asksFor reports whether a request reads a topic.
func asksFor(r kmsg.Request, topic string) bool {
	switch r := r.(type) {
	case *kmsg.ListOffsetsRequest:
		return r.Topics[0].Topic == topic
	case *kmsg.FetchRequest:
		return len(r.Topics) > 0 && r.Topics[0].Topic == topic
	}
	return false
}

// TestTransactionalBatches: every batch of a commit stands in the transaction, is its producer's, and comes again as it
// was.
func TestTransactionalBatches(t *testing.T) {
	t.Parallel()
	f, o, r, p := startReplica(t, nil)
	sent := make(chan *kmsg.ProduceRequest, 100)
	f.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		sent <- r.(*kmsg.ProduceRequest)
		return nil, nil, false
	})
	for n := uint64(1); n <= 3; n++ {
		if _, err := p.Commit(soon(t), counted(2*n-1, 2)); err != nil {
			t.Fatal(err)
		}
	}
	close(sent)
	next := make(map[string]int32)
	for request := range sent {
		if request.TransactionID == nil || *request.TransactionID != groupOf(o)+"-"+o.Topic+"-0" || request.Acks != -1 {
			t.Errorf("a request of %v with acks %d", request.TransactionID, request.Acks)
		}
		for _, topic := range request.Topics {
			var b kmsg.RecordBatch
			if err := b.ReadFrom(topic.Partitions[0].Records); err != nil {
				t.Fatal(err)
			}
			if b.Attributes&16 == 0 || b.ProducerID < 0 || b.FirstSequence != next[topic.Topic] {
				t.Errorf("a batch of %s has attributes %b, producer %d and sequence %d instead of %d", topic.Topic,
					b.Attributes, b.ProducerID, b.FirstSequence, next[topic.Topic])
			}
			next[topic.Topic] += b.NumRecords
		}
	}
	checkCommitted(t, r, o, 6)
}

// TestReplicasLoseAnswers cuts connections while an owner commits, before and after the broker has read a request.
func TestReplicasLoseAnswers(t *testing.T) {
	t.Parallel()
	var cut atomic.Bool
	cuts := &cutter{share: 0.1, on: &cut}
	_, o, r, p := startReplica(t, func(o *Options) { o.dial, o.transaction = cuts.dial, time.Minute })
	cut.Store(true)
	for n := range uint64(100) {
		if _, err := p.Commit(soon(t), counted(n+1, 1)); err != nil {
			t.Fatal(err)
		}
	}
	cut.Store(false)
	if cuts.made.Load() < 10 {
		t.Errorf("only %d connections were cut", cuts.made.Load())
	}
	checkCommitted(t, r, o, 100)
}

// TestEndIsAskedFor: the end is told by the leader while Read runs, not by what was fetched before.
func TestEndIsAskedFor(t *testing.T) {
	t.Parallel()
	f, _, r, p := startReplica(t, nil)
	var held atomic.Bool
	var refused atomic.Int64
	f.ControlKey(int16(kmsg.Fetch), func(q kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		if !held.Load() || !asksFor(q, r.intakeTopic) {
			return nil, nil, false
		}
		refused.Add(1)
		answer := q.ResponseKind().(*kmsg.FetchResponse)
		answer.Topics = []kmsg.FetchResponseTopic{{Topic: r.intakeTopic,
			Partitions: []kmsg.FetchResponseTopicPartition{{ErrorCode: 6}}}}
		return answer, nil, true
	})
	if _, end, err := p.Read(soon(t), 0); !end || err != nil {
		t.Fatalf("an empty intake has the end %v, %v", end, err)
	}
	held.Store(true)
	transporttest.Eventually(t, "no fetch is under way", func() bool { return refused.Load() > 0 })
	transporttest.Eventually(t, "an input is taken", func() bool { return r.Append(soon(t), 0, []byte("input")) == nil })
	for range 3 {
		if records, end, err := p.Read(soon(t), 10*time.Millisecond); len(records) > 0 || end || err != nil {
			t.Errorf("with an input that was not fetched yet it gives %v, %v, %v", records, end, err)
		}
	}
	held.Store(false)
	if records, _, err := p.Read(soon(t), 20*time.Second); len(records) != 1 || err != nil {
		t.Errorf("then it gives %v, %v", records, err)
	}
}
