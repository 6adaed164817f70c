package journal

import (
	"container/heap"
	"context"
	"time"

	"livebridge/bridge"
)

const (
	// parkedMax bounds the memory of lanes that wait for another try; beyond, the next one is tried early.
	parkedMax = 50_000
	// burialRetry is how long an event waits at the head of its lane when the dead letters are full.
	burialRetry = 5 * time.Second
)

// Settle implements dispatch.Outbox.
func (o *outbox) Settle(e *bridge.Event, s bridge.Settlement) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.lanes[e.Lane]
	switch {
	case s.Retry > 0:
		o.park(l, s.Retry)
	case s.DeadLetter != "":
		o.burials = append(o.burials, burial{pending: l.underWay, reason: s.DeadLetter})
		o.rouse()
	default:
		o.acknowledged = append(o.acknowledged, o.done(l))
	}
}

// done takes the event under way out of memory and lets the lane go on.
func (o *outbox) done(l *line) acked {
	p := l.underWay
	l.underWay = pending{}
	l.unsaved++
	o.depth--
	o.memory--
	o.advance(l)
	o.hunger(l)
	return acked{line: l, sequence: p.event.Sequence, bytes: p.bytes, parcel: p.parcel, position: p.position}
}

// park puts the event under way back before the others and lets its lane wait.
func (o *outbox) park(l *line, wait time.Duration) {
	l.events = append([]pending{l.underWay}, l.events...)
	l.underWay = pending{}
	l.until = time.Now().Add(wait)
	heap.Push(&o.parked, l)
	if o.spilled {
		o.unload(l)
	}
	if len(o.parked) > parkedMax {
		o.unpark(heap.Pop(&o.parked).(*line))
	}
	o.change()
}

// unpark lets a line go on that has left the parking.
func (o *outbox) unpark(l *line) {
	o.advance(l)
	o.hunger(l)
	o.forget(l)
}

// Trim implements dispatch.Outbox.
func (o *outbox) Trim(ctx context.Context, durable func(context.Context) error) error {
	o.mu.Lock()
	events := o.acknowledged
	o.acknowledged = nil
	o.mu.Unlock()
	err := durable(ctx)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.acknowledged = append(events, o.acknowledged...)
		return err
	}
	if len(events) > 0 {
		o.removals = append(o.removals, events...)
		o.rouse()
	}
	return nil
}

// wantsWriting reports whether the writer has something to do for the outbox.
func (o *outbox) wantsWriting() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.removals)+len(o.burials) > 0
}

// takeWriting gives that to the writer.
func (o *outbox) takeWriting() ([]acked, []burial) {
	o.mu.Lock()
	defer o.mu.Unlock()
	removals, burials := o.removals, o.burials
	o.removals, o.burials = nil, nil
	return removals, burials
}

// buried lets the lane of a dead letter go on. It goes from the outbox as if the broker had it, behind those of its lane that
// the broker may not have on disk yet.
func (o *outbox) buried(b burial) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if b.event.Marks.Has(bridge.MarkReplayed) {
		o.rejected.add(b)
	}
	o.acknowledged = append(o.acknowledged, o.done(o.lanes[b.event.Lane]))
}

// refused keeps an event at the head of its lane that the dead letters have no room for.
func (o *outbox) refused(b burial) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.park(o.lanes[b.event.Lane], burialRetry)
}

// removed notes what is gone from the store.
func (o *outbox) removed(events []acked) {
	if len(events) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range events {
		a.line.unsaved--
		o.forget(a.line)
	}
}

// forget drops the line when nothing is left to know about it. While the disk is being read it stays: the reader may
// see events that are gone by now, and only the line tells that they are.
func (o *outbox) forget(l *line) {
	switch {
	case l.unsaved > 0 || len(l.events) > 0 || l.underWay.event != nil || l.place >= 0 || l.behind():
	case o.loading:
		o.idle = append(o.idle, l)
	case o.lanes[l.lane] == l:
		delete(o.lanes, l.lane)
	}
}

// forgetIdle forgets what could not be forgotten during a read.
func (o *outbox) forgetIdle() {
	idle := o.idle
	o.idle = nil
	for _, l := range idle {
		o.forget(l)
	}
}
