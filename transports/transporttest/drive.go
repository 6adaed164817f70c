package transporttest

import (
	"testing"

	"livebridge/bridge"
)

// Events returns n events for each of some lanes, starting with the sequence first, for a transport's own tests.
func Events(lanes int, first, n uint64) []*bridge.Event { return events(lanes, first, n) }

// Deliver publishes as the dispatcher does: lanes concurrently, one event in flight in each, retried in place. It
// returns once all events are acknowledged.
func Deliver(t *testing.T, p bridge.Publisher, all []*bridge.Event) {
	t.Helper()
	new(answers).deliver(t, p, all)
}

// CheckLanes checks that the topic has each event byte for byte, in the order of its lane, apart from duplicates.
func CheckLanes(t *testing.T, got []Record, want []*bridge.Event) {
	t.Helper()
	checkLanes(t, got, want)
}
