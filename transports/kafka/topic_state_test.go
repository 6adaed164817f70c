package kafka

import (
	"testing"

	"github.com/segmentio/kafka-go"

	"livebridge/transports/transporttest"
)

// TestTopicState: it is known once the topic is found; of a template it never is.
func TestTopicState(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o, _ := observed()
	p := f.dial(t, o)
	awaitConnected(t, p, true)
	s, known := p.TopicState()
	if !known || s.Partitions != 12 || s.Replicas < 1 || s.InSync < 1 || s.InSync > s.Replicas {
		t.Errorf("%+v, %v", s, known)
	}
	transporttest.Deliver(t, p, transporttest.Events(1, 1, 1))
	if s, _ = p.TopicState(); !s.Idempotent {
		t.Error("it does not know that events are stored once")
	}
	o, _ = observed()
	o.Topic = "live.{app}"
	p = f.dial(t, o)
	awaitConnected(t, p, true)
	if s, known = p.TopicState(); known {
		t.Errorf("of a template: %+v", s)
	}
}

// TestFewestReplicas: the partition with the fewest counts.
func TestFewestReplicas(t *testing.T) {
	three, two := make([]kafka.Broker, 3), make([]kafka.Broker, 2)
	s := topicState{partitions: []kafka.Partition{{Replicas: three, Isr: three}, {Replicas: three, Isr: two}}}
	if s.minReplicas() != 3 || s.minInSync() != 2 {
		t.Errorf("%d replicas, %d in sync", s.minReplicas(), s.minInSync())
	}
}
