package nats

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// TestTopicState: it is known once the stream is found, and stays known.
func TestTopicState(t *testing.T) {
	t.Parallel()
	o := testOptions()
	o.URL, o.Partitions = natstest.Start(t, &server.Options{}).URL, 4
	p := dial(t, o)
	transporttest.Eventually(t, "it is connected", p.Connected)
	want := bridge.TopicState{Partitions: 4, Replicas: 1, InSync: 1, Idempotent: true}
	if s, known := p.TopicState(); !known || s != want {
		t.Errorf("%+v, %v", s, known)
	}
}

// TestReplicasInSync: followers that lag or are away, and the leader.
func TestReplicasInSync(t *testing.T) {
	info := &jetstream.StreamInfo{Config: jetstream.StreamConfig{Replicas: 3}, Cluster: &jetstream.ClusterInfo{Leader: "a",
		Replicas: []*jetstream.PeerInfo{{Name: "b", Current: true}, {Name: "c", Current: true, Offline: true}}}}
	if s := *stateOf(info, 0); s != (bridge.TopicState{Partitions: 1, Replicas: 3, InSync: 2}) {
		t.Errorf("%+v", s)
	}
	info.Cluster.Leader = ""
	info.Cluster.Replicas[0].Current = false
	if s := *stateOf(info, 0); s.InSync != 0 {
		t.Errorf("without a leader: %+v", s)
	}
}
