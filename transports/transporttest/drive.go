package transporttest

import (
	"testing"

	"livebridge/bridge"
)

// Events makes n events for each of some lanes, beginning with the sequence first: for a transport's own tests.
func Events(lanes int, first, n uint64) []*bridge.Event { return events(lanes, first, n) }

// Deliver publishes everything as the dispatcher does: lanes at once, one event under way in each, tried again in place. It
// returns when all is acknowledged.
func Deliver(t *testing.T, p bridge.Publisher, all []*bridge.Event) {
	t.Helper()
	new(answers).deliver(t, p, all)
}

// CheckLanes checks that the topic has each event byte for byte, in the order of its lane, but for repeats.
func CheckLanes(t *testing.T, got []Record, want []*bridge.Event) {
	t.Helper()
	checkLanes(t, got, want)
}
