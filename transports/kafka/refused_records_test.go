package kafka

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// TestPartialBatchErrors: the broker names a record that it will never accept; the others of its batch are accepted.
func TestPartialBatchErrors(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o := testOptions()
	o.Partitions = 1
	p := f.dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(20, 1, 1))
	release := make(chan struct{})
	open := sync.OnceFunc(func() { close(release) })
	defer open()
	var asked atomic.Int64
	f.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		batch := r.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Records
		if asked.Add(1) == 1 {
			<-release // so that the other events wait and become one batch
			return nil, nil, false
		}
		var b kmsg.RecordBatch
		if err := b.ReadFrom(batch); err != nil || b.NumRecords < 10 {
			return nil, nil, false
		}
		f.DropControl()
		return refuse(r.(*kmsg.ProduceRequest), kerr.InvalidRecord, 3, 7), nil, true
	})
	var mu sync.Mutex
	var rejected, done int
	all := transporttest.Events(20, 2, 1)
	answered := make(chan struct{})
	for i, e := range all {
		if i == 1 {
			transporttest.Eventually(t, "the first is not under way by itself", func() bool { return asked.Load() > 0 })
		}
		p.Publish(e, func(err error) {
			mu.Lock()
			defer mu.Unlock()
			if bridge.IsRejected(err) {
				rejected++
			} else if err != nil {
				t.Error(err)
			}
			if done++; done == len(all) {
				close(answered)
			}
		})
	}
	open()
	transporttest.Receive(t, answered)
	if got := len(contents(t, f.addrs, o.Topic)); rejected != 2 || got != 20+len(all)-2 {
		t.Errorf("%d events were rejected, and the topic has %d records", rejected, got)
	}
}

// refuse makes an answer that names records of the first batch.
func refuse(r *kmsg.ProduceRequest, why *kerr.Error, records ...int32) *kmsg.ProduceResponse {
	answer := r.ResponseKind().(*kmsg.ProduceResponse)
	topic := kmsg.NewProduceResponseTopic()
	topic.Topic = r.Topics[0].Topic
	partition := kmsg.NewProduceResponseTopicPartition()
	partition.ErrorCode = why.Code
	partition.ErrorMessage = kmsg.StringPtr("the record has no key")
	for _, n := range records {
		e := kmsg.NewProduceResponseTopicPartitionErrorRecord()
		e.RelativeOffset = n
		partition.ErrorRecords = append(partition.ErrorRecords, e)
	}
	topic.Partitions = append(topic.Partitions, partition)
	answer.Topics = append(answer.Topics, topic)
	return answer
}

// TestTooLargeForTheBroker: the topic's limit is not known beforehand, and only the one event is rejected.
func TestTooLargeForTheBroker(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "20000"}))
	f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	o := testOptions()
	o.Partitions = 1
	p := f.dial(t, o)
	all := transporttest.Events(100, 1, 1)
	large := all[50]
	large.Data = fmt.Appendf(nil, "%q", strings.Repeat("x", 30_000))
	answered := make(chan error, len(all))
	for _, e := range all {
		p.Publish(e, func(err error) {
			switch {
			case (e == large) != bridge.IsRejected(err):
				answered <- fmt.Errorf("%v was answered %w", e.Lane, err)
			default:
				answered <- nil
			}
		})
	}
	for range all {
		if err := transporttest.Receive(t, answered); err != nil {
			t.Error(err)
		}
	}
	once(t, f, o.Topic, slices.DeleteFunc(all, func(e *bridge.Event) bool { return e == large }))
}
