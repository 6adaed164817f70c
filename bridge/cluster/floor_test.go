package cluster

import (
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
)

// TestFirstRejected: lanes of a batch that is decided once more, since the broker has rejected an event of it, begin
// where the others of the partition do, though it is the first.
func TestFirstRejected(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	defer func() { s.stop() }()
	s.take(processortest.Push(tooLarge, session, bridge.PhasePublish),
		processortest.Push("a", session, bridge.PhasePublish))
	first := processor.FirstFloor(s.broker.Intake(0)[0].Recorded)
	for _, e := range outputs(s.broker, 1) {
		if e.Sequence != first+1 {
			t.Errorf("%s begins with %d, want %d", e.Lane, e.Sequence, first+1)
		}
	}
	if n := len(outputs(s.broker, 1)); n != 1 {
		t.Errorf("%d events are out", n)
	}
}
