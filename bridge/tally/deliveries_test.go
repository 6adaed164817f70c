package tally

import (
	"testing"

	"livebridge/bridge"
)

// TestDeliveriesAreBounded: as many callbacks as are remembered, the latest ones.
func TestDeliveriesAreBounded(t *testing.T) {
	d := newDeliveries()
	for i := range deliveriesRemembered + 1 {
		if before := d.note(bridge.ID{byte(i), byte(i >> 8), byte(i >> 16)}, bridge.Millis(i+1)); before != 0 {
			t.Fatalf("delivery %d is known from %d", i, before)
		}
	}
	if len(d.last) != deliveriesRemembered || d.note(bridge.ID{1}, 9) != 2 || d.note(bridge.ID{}, 9) != 0 {
		t.Errorf("%d are remembered", len(d.last))
	}
}
