package outbox

import "livebridge/bridge"

// Delivery says how far a replay of this run has come.
func (o *Outbox) Delivery(lane bridge.Lane, sequence uint64) (bridge.Delivery, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if d, found := o.rejected.of[place{lane, sequence}]; found {
		return d, nil
	}
	pending, err := o.isPending(lane, sequence)
	if err == nil && !pending {
		return bridge.Delivery{State: bridge.DeliveryPublished}, nil
	}
	return bridge.Delivery{State: bridge.DeliveryWaiting}, err
}

// isPending reports whether the event, which was emitted, is not settled yet. What is in memory has a queue; without
// one it is on disk alone or not in the outbox any more.
func (o *Outbox) isPending(lane bridge.Lane, sequence uint64) (bool, error) {
	if l := o.lanes[lane]; l != nil {
		return sequence >= l.head(), nil
	}
	return o.opts.Backlog.Has(lane, sequence)
}

// rejectedMax is how many replays that became dead letters again are remembered for the operator who waits for them.
const rejectedMax = 16_384

// rejected remembers the last replays that the broker has rejected.
type rejected struct {
	of    map[place]bridge.Delivery
	order []place // oldest first
}

// place is where an event is in the order.
type place struct {
	lane     bridge.Lane
	sequence uint64
}

func (r *rejected) add(b Rejection) {
	if r.of == nil {
		r.of = make(map[place]bridge.Delivery)
	}
	if len(r.order) == rejectedMax {
		delete(r.of, r.order[0])
		r.order = r.order[1:]
	}
	at := place{b.Event.Lane, b.Event.Sequence}
	r.order = append(r.order, at)
	r.of[at] = bridge.Delivery{State: bridge.DeliveryDeadLetter, DeadLetter: b.Number, Reason: string(b.Reason),
		Detail: b.Detail}
}
