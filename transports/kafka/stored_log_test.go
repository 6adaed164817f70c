package kafka

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
)

// TestStoredEventsAreLogged with topic, partition and offset.
func TestStoredEventsAreLogged(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.DebugLevel)
	o := testOptions()
	o.Log, o.Partitions = zap.New(core), 1
	f := startFake(t, kfake.SeedTopics(1, o.Topic))
	p := f.dial(t, o)
	for n := range uint64(3) {
		e := &bridge.Event{ID: bridge.ID{byte(n + 1)}, Type: "com.huaweicloud.live.stream.publish", Sequence: n + 1,
			Lane: bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Stream: "a"},
			Data: []byte(`{}`), Recorded: bridge.MillisOf(time.Now())}
		answer := make(chan error, 1)
		p.Publish(e, func(err error) { answer <- err })
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
		lines := logs.FilterMessage("event stored by Kafka").All()
		if uint64(len(lines)) != n+1 {
			t.Fatalf("%d lines", len(lines))
		}
		got := lines[n].ContextMap()
		if got["id"] != e.ID.String() || got["sequence"] != n+1 || got["topic"] != o.Topic ||
			got["partition"] != int32(0) || got["offset"] != int64(n) {
			t.Errorf("%v", got)
		}
	}
}
