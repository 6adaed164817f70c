package tally

import "livebridge/bridge"

// deliveriesRemembered is how many callbacks are remembered for the time between two deliveries of one.
const deliveriesRemembered = 16_384

// deliveries remembers when the last callbacks were delivered, whatever was decided on them.
type deliveries struct {
	last  map[bridge.ID]bridge.Millis
	order [deliveriesRemembered]bridge.ID // oldest at next, once it is full
	next  int
}

func newDeliveries() *deliveries { return &deliveries{last: make(map[bridge.ID]bridge.Millis)} }

// note notes a delivery, and returns when the one before it was; 0: none is remembered.
func (d *deliveries) note(id bridge.ID, now bridge.Millis) (before bridge.Millis) {
	if before = d.last[id]; before == 0 {
		delete(d.last, d.order[d.next])
		d.order[d.next] = id
		d.next = (d.next + 1) % deliveriesRemembered
	}
	d.last[id] = now
	return before
}
