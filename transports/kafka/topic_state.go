package kafka

import (
	"github.com/segmentio/kafka-go"

	"livebridge/bridge"
)

// topicState is a topic's partitions and configuration.
type topicState struct {
	partitions []kafka.Partition
	config     config
}

// minReplicas is the number of replicas of the partition with the fewest.
func (s topicState) minReplicas() int {
	least := len(s.partitions[0].Replicas)
	for _, p := range s.partitions {
		least = min(least, len(p.Replicas))
	}
	return least
}

// minInSync is the number of in-sync replicas of the partition with the fewest.
func (s topicState) minInSync() int {
	least := len(s.partitions[0].Isr)
	for _, p := range s.partitions {
		least = min(least, len(p.Isr))
	}
	return least
}

// TopicState returns the state of the topic of events at the last check. False: it was not found yet, or KAFKA_TOPIC is
// a template.
func (p *Publisher) TopicState() (bridge.TopicState, bool) {
	if p.events == nil {
		return bridge.TopicState{}, false
	}
	known := p.events.state.Load()
	if known == nil {
		return bridge.TopicState{}, false
	}
	s := *known
	s.Idempotent = p.producer.Idempotent()
	return s, true
}
