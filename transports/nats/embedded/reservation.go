package embedded

import (
	"maps"
	"sync/atomic"

	"livebridge/bridge"
	"livebridge/transports/nats"
)

// A power loss can take messages that consumers have already received, and the server would then give their sequences
// to other messages. Therefore sequences are reserved before they are given out: state.json has, for each stream, one
// that is not below any given out. After an unclean stop the stream continues above it, see
// skipReserved.

// reserveMin is how many sequences are reserved at least. Those that were not given out are lost in a crash.
const reserveMin = 1024

// reservation counts the sequences of one stream. Nobody else writes to it, so that each event published, and nothing
// else, takes one, or none where it is a duplicate.
type reservation struct {
	given    atomic.Uint64 // not below any sequence given out
	reserved atomic.Uint64 // durable in state.json

	// guarded by the publisher's lock
	checkpointed uint64      // given at the last checkpoint
	waiting      []heldEvent // until more is reserved
}

// heldEvent is an event whose sequence is not reserved yet.
type heldEvent struct {
	event *bridge.Event
	done  func(error)
}

// take takes a sequence and reports whether it is reserved.
func (r *reservation) take() bool { return r.given.Add(1) <= r.reserved.Load() }

// rate is how many sequences were given out since the last checkpoint.
func (r *reservation) rate() uint64 { return r.given.Load() - r.checkpointed }

// low reports whether what is reserved may not last until the next checkpoint but one.
func (r *reservation) low() bool {
	return r.reserved.Load() < r.given.Load()+2*r.rate()+reserveMin/2
}

// next is up to which sequence to reserve.
func (r *reservation) next() uint64 { return r.given.Load() + 4*r.rate() + reserveMin }

// reservationOf returns the reservation of the stream that an event goes to; nil: it goes to none.
func (e *Publisher) reservationOf(event *bridge.Event) *reservation {
	if event.Quarantined() {
		return e.notices
	}
	return e.events
}

// Publish implements bridge.Publisher.
func (e *Publisher) Publish(event *bridge.Event, done func(error)) {
	if r := e.reservationOf(event); r != nil && !r.take() {
		e.holdUntilReserved(r, heldEvent{event, done})
		return
	}
	e.Publisher.Publish(event, done)
}

// holdUntilReserved publishes an event once its sequence is reserved. That is rare: checkpoints reserve ahead.
func (e *Publisher) holdUntilReserved(r *reservation, held heldEvent) {
	e.mu.Lock()
	closed := e.closed
	if !closed {
		if r.waiting = append(r.waiting, held); len(r.waiting) == 1 {
			e.reserving.Go(func() { e.reserveNow(r) })
		}
	}
	e.mu.Unlock()
	if closed {
		held.done(bridge.Unavailable("the publisher is closed"))
	}
}

// endReservations waits for those outside checkpoints, and permits no further one.
func (e *Publisher) endReservations() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.reserving.Wait()
}

// reserveNow reserves more and publishes the events that wait for it. Where that fails they are unavailable.
func (e *Publisher) reserveNow(r *reservation) {
	e.mu.Lock()
	err := e.reserve(false)
	waiting := r.waiting
	r.waiting = nil
	e.mu.Unlock()
	for _, held := range waiting {
		if err != nil {
			held.done(bridge.Unavailable("embedded NATS server: sequences cannot be reserved: %w", err))
			continue
		}
		e.Publisher.Publish(held.event, held.done)
	}
}

// reserve writes state.json if the state has changed or if more must be reserved. The lock is held.
func (e *Publisher) reserve(changed bool) error {
	next := make(map[string]uint64)
	maps.Copy(next, e.state.Reserved)
	for name, r := range e.reservations() {
		if r.low() {
			next[name], changed = max(next[name], r.next()), true
		}
	}
	if !changed {
		return nil
	}
	st := e.state
	st.Reserved = next
	if err := e.store.writeState(st); err != nil {
		return err
	}
	e.state = st
	for name, r := range e.reservations() {
		r.reserved.Store(next[name])
	}
	return nil
}

// reservations returns those of our streams, by the stream's name.
func (e *Publisher) reservations() map[string]*reservation {
	all := map[string]*reservation{e.publish.Stream: e.events}
	if e.notices != nil {
		all[nats.QuarantineStream] = e.notices
	}
	return all
}

// beginReservations takes up the counts from the streams that there are. One that is still to be created begins above
// what was reserved for its predecessor.
func (e *Publisher) beginReservations(last map[string]uint64) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.publish.FirstSequence = make(map[string]uint64)
	for name, r := range e.reservations() {
		given, exists := last[name]
		if before := e.state.Reserved[name]; !exists && before > 0 {
			given, e.publish.FirstSequence[name] = before, before+1
		}
		r.given.Store(given)
		r.checkpointed = given
		r.reserved.Store(e.state.Reserved[name])
	}
	return e.reserve(false)
}
