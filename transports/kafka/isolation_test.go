package kafka

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

func notice() *bridge.Event {
	return &bridge.Event{Lane: bridge.Lane{Kind: bridge.KindStream}, Reason: bridge.ReasonExpired, Data: []byte("{}")}
}

// TestQuarantineHoldsUpNoEvent: whatever is wrong with the quarantine's topic, events go on. Its name sorts before
// theirs.
func TestQuarantineHoldsUpNoEvent(t *testing.T) {
	t.Parallel()
	t.Run("creating it never ends", func(t *testing.T) {
		f := startFake(t, kfake.NumBrokers(1))
		o := testOptions()
		o.Quarantine = "a.quarantine"
		release := make(chan struct{})
		defer close(release)
		f.ControlKey(int16(kmsg.CreateTopics), func(r kmsg.Request) (kmsg.Response, error, bool) {
			f.KeepControl()
			if r.(*kmsg.CreateTopicsRequest).Topics[0].Topic == o.Quarantine {
				f.SleepControl(func() { <-release })
			}
			return nil, nil, false
		})
		p := f.dial(t, o)
		p.Publish(notice(), func(error) {})
		transporttest.Deliver(t, p, transporttest.Events(20, 1, 3))
	})
	t.Run("the broker does not answer to it", func(t *testing.T) {
		f := startFake(t, kfake.NumBrokers(1))
		o := testOptions()
		o.Quarantine, o.AckTimeout = "a.quarantine", time.Minute
		p := f.dial(t, o)
		transporttest.Deliver(t, p, transporttest.Events(20, 1, 1))
		asked, release := make(chan struct{}), make(chan struct{})
		defer close(release)
		f.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
			f.KeepControl()
			for _, topic := range r.(*kmsg.ProduceRequest).Topics {
				if topic.Topic == o.Quarantine {
					close(asked)
					f.SleepControl(func() { <-release })
				}
			}
			return nil, nil, false
		})
		p.Publish(notice(), func(error) {})
		transporttest.Receive(t, asked)
		transporttest.Deliver(t, p, transporttest.Events(20, 2, 5))
	})
	t.Run("it is deleted", func(t *testing.T) {
		f := startFake(t, kfake.NumBrokers(1))
		o := testOptions()
		o.Quarantine, o.Create, o.checkInterval = "a.quarantine", false, noPeriodicCheck
		if err := errors.Join(f.CreateTopic(o.Topic, 1, nil), f.CreateTopic(o.Quarantine, 1, nil)); err != nil {
			t.Fatal(err)
		}
		p := f.dial(t, o)
		transporttest.Deliver(t, p, append(transporttest.Events(20, 1, 1), notice()))
		if err := f.DeleteTopic(o.Quarantine); err != nil {
			t.Fatal(err)
		}
		answers := make(chan error, 10)
		for n := range uint64(100) {
			p.Publish(notice(), func(error) {})
			for _, e := range transporttest.Events(10, n+2, 1) {
				p.Publish(e, func(err error) { answers <- err })
			}
			for range 10 {
				if err := transporttest.Receive(t, answers); err != nil {
					t.Fatalf("an event was answered %v", err)
				}
			}
		}
	})
	for name, c := range map[string]struct {
		key kmsg.Key
		err *kerr.Error
	}{
		"it cannot be created":           {kmsg.CreateTopics, kerr.TopicAuthorizationFailed},
		"it has too few brokers":         {kmsg.CreateTopics, kerr.InvalidReplicationFactor},
		"it may not be written to":       {kmsg.Produce, kerr.TopicAuthorizationFailed},
		"it has too few replicas":        {kmsg.Produce, kerr.NotEnoughReplicas},
		"its batches are in doubt":       {kmsg.Produce, kerr.RequestTimedOut},
		"describing it is not permitted": {kmsg.Metadata, kerr.TopicAuthorizationFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFake(t, kfake.NumBrokers(1))
			o := testOptions()
			o.Quarantine, o.Partitions = "a.quarantine", 3
			fault := f.Fault(kfake.Fault{Keys: []kmsg.Key{c.key}, Err: c.err, Topic: o.Quarantine, Count: -1})
			p := f.dial(t, o)
			answered := make(chan error, 1)
			for n := range uint64(20) {
				p.Publish(notice(), func(err error) {
					select {
					case answered <- err:
					default:
					}
				})
				for _, e := range transporttest.Events(10, n+1, 1) {
					if err := transporttest.Try(t, p, e); err != nil {
						t.Fatalf("an event was answered %v", err)
					}
				}
			}
			if err := transporttest.Receive(t, answered); err == nil || bridge.IsRejected(err) {
				t.Errorf("a notice was answered %v", err)
			}
			fault.Remove()
			transporttest.Eventually(t, "notices do not go on", func() bool {
				return transporttest.Try(t, p, notice()) == nil
			})
		})
	}
}

// TestPermissionsRestored: what the broker does not allow is an outage that names the right, and is over when it is
// given.
func TestPermissionsRestored(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]kfake.Fault{
		"to write":    {Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed},
		"to describe": {Keys: []kmsg.Key{kmsg.Metadata, kmsg.Produce}, Err: kerr.TopicAuthorizationFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFake(t, kfake.NumBrokers(1))
			o := testOptions()
			o.Partitions, o.checkInterval, fault.Topic, fault.Count = 3, noPeriodicCheck, o.Topic, -1
			p := f.dial(t, o)
			transporttest.Deliver(t, p, transporttest.Events(10, 1, 1))
			denied := f.Fault(fault)
			if err := awaitUnavailable(t, p, fresh(100)); !strings.Contains(err.Error(), "allow WRITE") {
				t.Errorf("the answer is %v", err)
			}
			p.topics.requestCheck()
			denied.Remove()
			transporttest.Deliver(t, p, transporttest.Events(10, 2, 1))
		})
	}
}

// TestProducerIDPermittedAgain: once the broker lets us be an idempotent producer, we are one.
func TestProducerIDPermittedAgain(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	fault := f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.ClusterAuthorizationFailed,
		TopLevel: true, Count: -1})
	o, logs := observed()
	o.Partitions, o.producerIDRetry = 1, time.Nanosecond
	s := observe(f, o.Topic)
	p := f.dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(5, 1, 1))
	transporttest.AwaitLog(t, logs, "IDEMPOTENT_WRITE")
	fault.Remove()
	transporttest.Deliver(t, p, transporttest.Events(5, 2, 3))
	transporttest.AwaitLog(t, logs, "idempotent publishing is permitted again")
	s.mu.Lock()
	defer s.mu.Unlock()
	next := int32(-1)
	for _, b := range s.batches[0] {
		if b.ProducerID >= 0 && next < 0 {
			next = 0
		}
		if next >= 0 && (b.ProducerID < 0 || b.FirstSequence != next) {
			t.Errorf("a batch of producer %d begins with %d, not %d", b.ProducerID, b.FirstSequence, next)
		}
		if next >= 0 {
			next += b.NumRecords
		}
	}
	if next <= 0 {
		t.Error("no batch was an idempotent producer's")
	}
}

// errEnough ends a consumer that has read what it should.
var errEnough = errors.New("enough")

// TestReadingIsForbidden: a consumer without the permission to read logs which one it needs, and resumes when it has
// it.
func TestReadingIsForbidden(t *testing.T) {
	t.Parallel()
	for _, key := range []kmsg.Key{kmsg.Metadata, kmsg.Fetch} {
		t.Run(key.Name(), func(t *testing.T) {
			t.Parallel()
			f := startFake(t, kfake.NumBrokers(1))
			o, logs := observed()
			transporttest.Deliver(t, f.dial(t, o), transporttest.Events(1, 1, 1))
			fault := f.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: kerr.TopicAuthorizationFailed, Topic: o.Topic, Count: -1})
			o.Brokers = joined(f.addrs)
			consumed := make(chan error, 1)
			go func() { consumed <- Consume(t.Context(), o, StartAll, func(Record) error { return errEnough }) }()
			transporttest.AwaitLog(t, logs, "allow READ")
			fault.Remove()
			if err := transporttest.Receive(t, consumed); !errors.Is(err, errEnough) {
				t.Error(err)
			}
		})
	}
}
