package journal

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
)

// Deliveries implements bridge.JournalAdmin.
func (j *Journal) Deliveries(emissions []bridge.Emission) (out []bridge.Delivery, err error) {
	err = j.read(func() error {
		for _, e := range emissions {
			d, err := j.delivery(e)
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return nil
	})
	return out, err
}

func (j *Journal) delivery(e bridge.Emission) (bridge.Delivery, error) {
	if j.mode != online {
		return bridge.Delivery{State: bridge.DeliveryWaiting}, nil
	}
	prefix, err := outboxPrefix(e.Kind, e.Lane)
	if err != nil {
		return bridge.Delivery{}, err
	}
	if len(prefix) < 2 {
		return bridge.Delivery{}, errors.New("emission without kind or lane")
	}
	lane, err := laneOf(prefix[:len(prefix)-1])
	if err != nil {
		return bridge.Delivery{}, err
	}
	return j.outbox.delivery(lane, e.Sequence)
}

// delivery says how far a replay of this run has come.
func (o *outbox) delivery(lane bridge.Lane, sequence uint64) (bridge.Delivery, error) {
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
func (o *outbox) isPending(lane bridge.Lane, sequence uint64) (bool, error) {
	if l := o.lanes[lane]; l != nil {
		return sequence >= l.head(), nil
	}
	_, closer, err := o.db.Get(outboxKey(nil, lane, sequence))
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, closer.Close()
}

// head returns the sequence of the first event that is not settled, or that of the next one to come.
func (l *laneQueue) head() uint64 {
	switch {
	case l.underWay.event != nil:
		return l.underWay.event.Sequence
	case len(l.events) > 0:
		return l.events[0].event.Sequence
	}
	return l.loaded + 1
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

func (r *rejected) add(b rejection) {
	if r.of == nil {
		r.of = make(map[place]bridge.Delivery)
	}
	if len(r.order) == rejectedMax {
		delete(r.of, r.order[0])
		r.order = r.order[1:]
	}
	at := place{b.event.Lane, b.event.Sequence}
	r.order = append(r.order, at)
	r.of[at] = bridge.Delivery{State: bridge.DeliveryDeadLetter, DeadLetter: b.number, Reason: string(b.reason),
		Detail: b.detail}
}
