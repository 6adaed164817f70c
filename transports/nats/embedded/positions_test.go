package embedded

import (
	"testing"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// TestPositionsAreReported: events that share an acknowledgement have the sequences that a consumer sees, each its own.
func TestPositionsAreReported(t *testing.T) {
	t.Parallel()
	topic := open(t, testOptions())
	positions := transporttest.ReportPositions(t, topic.Publisher)
	all := transporttest.Events(200, 1, 10)
	transporttest.Deliver(t, topic.Publisher, all)
	sequences := make(map[string]int64)
	for i, r := range topic.Events(t) {
		sequences[string(r.Payload)] = int64(i + 1)
	}
	for _, e := range all {
		got, want := positions.Of(e), sequences[string(e.AppendStructured(nil))]
		if got.Topic != testOptions().Stream || got.Subject == "" || got.Partition != -1 || got.Offset != want {
			t.Errorf("%v %d: %+v, want sequence %d", e.Lane, e.Sequence, got, want)
		}
	}
	other := &bridge.Event{}
	if got := positions.Of(other); !got.IsZero() {
		t.Errorf("%+v of an event that was never published", got)
	}
}
