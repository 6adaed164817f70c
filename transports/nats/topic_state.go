package nats

import (
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
)

// TopicState returns the state of the stream of events at the last check. False: it was not found yet.
func (p *Publisher) TopicState() (bridge.TopicState, bool) {
	if s := p.streams.events.found.Load(); s != nil {
		return *s, true
	}
	return bridge.TopicState{}, false
}

// stateOf returns the state of a stream. A server alone has one replica, which is in sync.
func stateOf(info *jetstream.StreamInfo, partitions int) *bridge.TopicState {
	s := &bridge.TopicState{Partitions: max(1, partitions), Replicas: max(1, info.Config.Replicas), InSync: 1,
		Idempotent: info.Config.Duplicates > 0}
	if info.Cluster == nil {
		return s
	}
	if info.Cluster.Leader == "" {
		s.InSync = 0
	}
	for _, r := range info.Cluster.Replicas {
		if r.Current && !r.Offline {
			s.InSync++
		}
	}
	return s
}
