package outbox

import (
	"time"

	"livebridge/bridge"
)

// Pending is an event that waits for the broker, and where it lies.
type Pending struct {
	Event    *bridge.Event
	Bytes    int    // of its record
	Batch    uint64 // number of the commit in whose event batch it lies; 0: under its lane, where the Backlog finds it
	Position int    // in the event batch
}

// Removal names an event that the broker has on disk.
type Removal struct {
	Lane     bridge.Lane
	Sequence uint64
	Bytes    int // of its record
	Batch    uint64
	Position int

	Published *Published // nil: not kept
}

// Published is an event that the broker has, as the history keeps it.
type Published struct {
	Event *bridge.Event
	At    bridge.Millis   // when the broker acknowledged it
	Where bridge.Position // zero: not known
}

// Rejection is an event that the broker will never take.
type Rejection struct {
	Pending
	Reason bridge.Rejection
	Detail string
	Number uint64 // of the dead letter, once it is one
}

// laneQueue is one lane in the outbox.
type laneQueue struct {
	lane        bridge.Lane
	events      []Pending // in memory, next first; the one under way is not among them
	underWay    Pending   // given out by Next and not settled
	loaded      uint64    // sequence of the last event that is or was in memory
	newest      uint64    // of the last one that the disk is known to have
	needsRefill bool      // among those that are to be read on
	unsaved     int       // acknowledged events that are still on disk
	until       time.Time // delayed until then
	place       int       // in the retry queue; -1 when not delayed
}

// behind reports whether the disk has more of the lane than memory.
func (l *laneQueue) behind() bool { return l.newest > l.loaded }

// delayed reports whether the lane waits for another try.
func (l *laneQueue) delayed() bool { return l.place >= 0 }

// first returns the first event in memory that is not settled, nil when there is none.
func (l *laneQueue) first() *bridge.Event {
	if l.underWay.Event == nil && len(l.events) > 0 {
		return l.events[0].Event
	}
	return l.underWay.Event
}

// head returns the sequence of the first event that is not settled, or that of the next one to come.
func (l *laneQueue) head() uint64 {
	if first := l.first(); first != nil {
		return first.Sequence
	}
	return l.loaded + 1
}

// laneQueue returns the lane's queue, a new one that begins with a sequence if there is none.
func (o *Outbox) laneQueue(lane bridge.Lane, first uint64) *laneQueue {
	l := o.lanes[lane]
	if l == nil {
		l = &laneQueue{lane: lane, loaded: first - 1, newest: first - 1, place: -1}
		o.lanes[lane] = l
	}
	return l
}

// push puts the event that follows into the lane's memory.
func (o *Outbox) push(l *laneQueue, p Pending) {
	l.loaded = p.Event.Sequence
	l.newest = max(l.newest, l.loaded)
	l.events = append(l.events, p)
	o.memory++
	if len(l.events) == 1 {
		o.markReady(l)
	}
}

// markReady makes the queue ready if its first event may go.
func (o *Outbox) markReady(l *laneQueue) {
	if len(l.events) > 0 && l.underWay.Event == nil && !l.delayed() {
		o.ready.push(l)
		o.notify()
	}
}

// dropIfDone drops the queue when nothing is left to know about it. While the disk is being read it stays: the reader
// may see events that are gone by now, and only the queue tells that they are.
func (o *Outbox) dropIfDone(l *laneQueue) {
	switch {
	case l.unsaved > 0 || len(l.events) > 0 || l.underWay.Event != nil || l.delayed() || l.behind():
	case o.loading:
		o.deferredDrops = append(o.deferredDrops, l)
	case o.lanes[l.lane] == l:
		delete(o.lanes, l.lane)
	}
}

// dropDeferred drops what could not be dropped during a read.
func (o *Outbox) dropDeferred() {
	deferred := o.deferredDrops
	o.deferredDrops = nil
	for _, l := range deferred {
		o.dropIfDone(l)
	}
}
