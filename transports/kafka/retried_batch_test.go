package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// TestLimitIsRaised: an event that was too large is accepted once the topic permits it, without a restart.
func TestLimitIsRaised(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o := testOptions()
	o.checkInterval = noPeriodicCheck
	if err := f.CreateTopic(o.Topic, 1, map[string]string{"max.message.bytes": "20000"}); err != nil {
		t.Fatal(err)
	}
	p := f.dial(t, o)
	if err := publishLarge(t, p, 1, 20_000); !bridge.IsRejected(err) {
		t.Fatalf("an event that is too large was answered %v", err)
	}
	setConfig(t, f.addrs, o.Topic, "max.message.bytes", "100000")
	if err := publishLarge(t, p, 2, 20_000); err != nil {
		t.Errorf("the topic takes as much now, and the answer is %v", err)
	}
}

// TestRetriedBatchGetsNewTimestamp: a batch of unknown outcome that the broker finds too old by now is sent again with
// the time of now and is still known as the same, so that its events are in the topic once.
func TestRetriedBatchGetsNewTimestamp(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(1))
	o := testOptions()
	o.Quarantine, o.Partitions = "", 1
	s := observe(f, o.Topic)
	p := f.dial(t, o)
	all := transporttest.Events(1, 1, 1)
	f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut, Count: 1}) // the broker has it
	f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidTimestamp, Count: 2})
	transporttest.Deliver(t, p, all)
	once(t, f, o.Topic, all)
	s.mu.Lock()
	defer s.mu.Unlock()
	batches := s.batches[0]
	first, last := batches[0], batches[len(batches)-1]
	if last.FirstTimestamp <= first.FirstTimestamp || last.FirstSequence != first.FirstSequence ||
		last.ProducerID != first.ProducerID {
		t.Errorf("of %d sendings the first is %+v, the last %+v", len(batches), first, last)
	}
}
