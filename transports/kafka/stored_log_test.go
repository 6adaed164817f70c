package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// TestStoredEventsAreLogged with topic, partition and the offset that a consumer sees.
func TestStoredEventsAreLogged(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.DebugLevel)
	o := testOptions()
	o.Log, o.Partitions = zap.New(core), 1
	f := startFake(t, kfake.SeedTopics(1, o.Topic))
	p := f.dial(t, o)
	all := transporttest.Events(200, 1, 2)
	transporttest.Deliver(t, p, all)
	offsets := make(map[string]int64)
	for _, r := range read(t, f.addrs, o.Topic) {
		offsets[string(r.Value)] = r.Offset
	}
	for _, e := range all {
		lines := logs.FilterMessage("event stored by Kafka").FilterField(zap.Stringer("id", e.ID)).All()
		if len(lines) != 1 {
			t.Fatalf("%d lines about %v %d", len(lines), e.Lane, e.Sequence)
		}
		got, want := lines[0].ContextMap(), offsets[string(e.AppendStructured(nil))]
		if got["sequence"] != e.Sequence || got["topic"] != o.Topic || got["partition"] != int32(0) || got["offset"] != want {
			t.Errorf("%v, want offset %d", got, want)
		}
	}
}

// TestPositionsAreReported: topic, partition and the offset that a consumer sees, before the event is answered.
func TestPositionsAreReported(t *testing.T) {
	t.Parallel()
	o := testOptions()
	o.Partitions = 3
	f := startFake(t, kfake.SeedTopics(3, o.Topic))
	p := f.dial(t, o)
	positions := transporttest.ReportPositions(t, p)
	all := transporttest.Events(200, 1, 2)
	transporttest.Deliver(t, p, all)
	type place struct {
		partition int32
		offset    int64
	}
	stored := make(map[string]place)
	for _, r := range read(t, f.addrs, o.Topic) {
		stored[string(r.Value)] = place{r.Partition, r.Offset}
	}
	for _, e := range all {
		want := stored[string(e.AppendStructured(nil))]
		if got := positions.Of(e); got != (bridge.Position{Topic: o.Topic, Partition: want.partition, Offset: want.offset}) {
			t.Errorf("%v %d: %+v, want %+v", e.Lane, e.Sequence, got, want)
		}
	}
}
