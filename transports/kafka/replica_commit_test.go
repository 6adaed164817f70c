package kafka

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// startReplica opens replicas on a broker in this process, with one partition, which it takes.
func startReplica(t *testing.T, change func(*Options)) (*fake, Options, *Replicas, bridge.Partition) {
	t.Helper()
	f := startFake(t, kfake.NumBrokers(1))
	o, _ := observed()
	o.Brokers, o.Partitions = joined(f.addrs), 1
	if change != nil {
		change(&o)
	}
	r := openReplicas(t, o)
	return f, o, r, takePartition(t, r)
}

func takePartition(t *testing.T, r *Replicas) bridge.Partition {
	t.Helper()
	p, err := r.Take(soon(t), 0, 0, make(counter).put)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// soon bounds a call.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// counted is a commit of the next events of one lane, with their number as the state.
func counted(first, n uint64) bridge.PartitionCommit {
	return bridge.PartitionCommit{Events: transporttest.Events(1, first, n),
		Rows: []bridge.Row{{Key: []byte("n"), Value: fmt.Append(nil, first+n-1)}}}
}

// checkCommitted checks that the events 1 to n were committed, each once, and that the state says so.
func checkCommitted(t *testing.T, r *Replicas, o Options, n uint64) {
	t.Helper()
	want := transporttest.Events(1, 1, n)
	got := committedOf(t, o, o.Topic, 0)
	for i := range min(len(got), len(want)) {
		if string(got[i].Payload) != string(want[i].AppendStructured(nil)) || got[i].Key != want[i].PartitionKey() {
			t.Fatalf("event %d is %q %q", i, got[i].Key, got[i].Payload)
		}
	}
	state := make(counter)
	if err := r.State(soon(t), 0, 0, state.put); err != nil || state["n"] != n || len(got) != int(n) {
		t.Errorf("%d events and the state %v, %v; want %d", len(got), state, err, n)
	}
}

// refuseNext answers the next request of a kind with an error.
func refuseNext(f *fake, key kmsg.Key, code int16) *atomic.Int64 {
	times := new(atomic.Int64)
	f.ControlKey(int16(key), func(r kmsg.Request) (kmsg.Response, error, bool) {
		times.Add(1)
		return refusal(r, code), nil, true
	})
	return times
}

// refusal is an error to every partition of a request.
func refusal(r kmsg.Request, code int16) kmsg.Response {
	switch r := r.(type) {
	case *kmsg.AddPartitionsToTxnRequest:
		answer := r.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
		for i, t := range r.Topics {
			topic := kmsg.AddPartitionsToTxnResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				each := code
				if i == 0 && len(r.Topics) > 1 {
					each = 55 // not attempted, because of the other
				}
				topic.Partitions = append(topic.Partitions,
					kmsg.AddPartitionsToTxnResponseTopicPartition{Partition: p, ErrorCode: each})
			}
			answer.Topics = append(answer.Topics, topic)
		}
		return answer
	case *kmsg.ProduceRequest:
		answer := r.ResponseKind().(*kmsg.ProduceResponse)
		for _, t := range r.Topics {
			topic := kmsg.ProduceResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				topic.Partitions = append(topic.Partitions,
					kmsg.ProduceResponseTopicPartition{Partition: p.Partition, ErrorCode: code})
			}
			answer.Topics = append(answer.Topics, topic)
		}
		return answer
	case *kmsg.EndTxnRequest:
		answer := r.ResponseKind().(*kmsg.EndTxnResponse)
		answer.ErrorCode = code
		return answer
	case *kmsg.InitProducerIDRequest:
		answer := r.ResponseKind().(*kmsg.InitProducerIDResponse)
		answer.ErrorCode = code
		return answer
	}
	panic(fmt.Sprintf("%T", r))
}
