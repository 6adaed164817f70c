package journal

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
)

// outbox hands the emitted events on, lane by lane. What was synced a moment ago comes from memory. When that is full
// it lets go and reads the disk instead (see backlog.go), until nothing is left there.
type outbox struct {
	db         *pebble.DB
	wakeWriter func()       // makes the writer look
	background func(func()) // calls a function while the store is open
	limit      int          // events in memory
	fatal      func(error)

	mu           sync.Mutex
	lanes        map[bridge.Lane]*laneQueue // everything about a lane that has to do with the outbox now
	ready        fifo                       // queues whose first event may go
	readyChanged chan struct{}              // holds one token when Next should look again
	depth        int                        // events on disk that are not acknowledged
	memory       int                        // events in the queues, those under way included
	spilled      bool                       // some events are on disk only
	synced       uint64                     // number of the last synced commit
	reserved     int                        // events of event batches that are being synced
	unreserved   int                        // other events that are being synced
	delayed      retryQueue

	refills       fifo         // lanes that are to be read on
	scanDone      bool         // every lane that has something on disk has a queue
	scanCursor    []byte       // where the scan, which finds the others, goes on
	rescan        bool         // it may have passed by something
	scanNext      bool         // it is next
	reading       bool         // a page is on its way, or cannot be read
	loading       bool         // the disk is being read for it: queues must not be dropped
	deferredDrops []*laneQueue // would have been forgotten since it began

	acknowledged []acked     // since the last Trim
	removals     []acked     // may go from the disk
	rejections   []rejection // to the dead letters
	rejected     rejected    // replays that are dead letters again
}

// laneQueue is one lane in the outbox.
type laneQueue struct {
	lane        bridge.Lane
	events      []pending // in memory, next first; the one under way is not among them
	underWay    pending   // given out by Next and not settled
	loaded      uint64    // sequence of the last event that is or was in memory
	newest      uint64    // of the last one that the disk is known to have
	needsRefill bool      // among those that are to be read on
	unsaved     int       // acknowledged events that are still on disk
	until       time.Time // delayed until then
	place       int       // in the retry queue; -1 when not delayed
}

// pending is an event of the outbox with the length of its record, and where that is.
type pending struct {
	event    *bridge.Event
	bytes    int
	batch    *eventBatch // nil: in table o
	position int         // in the event batch
}

// acked names an event that the broker has acknowledged.
type acked struct {
	queue    *laneQueue
	sequence uint64
	bytes    int
	batch    *eventBatch
	position int
}

// rejection is an event that the broker will never take.
type rejection struct {
	pending
	reason bridge.Rejection
	detail string
	number uint64 // of the dead letter, once it is one
}

func newOutbox(db *pebble.DB, depth, limit int, wakeWriter func(), background func(func()), fatal func(error)) *outbox {
	return &outbox{
		db: db, wakeWriter: wakeWriter, background: background, limit: limit, fatal: fatal,
		lanes: make(map[bridge.Lane]*laneQueue), readyChanged: make(chan struct{}, 1),
		depth: depth, spilled: depth > 0, scanDone: depth == 0,
	}
}

// Next implements dispatch.Outbox. It is called by one goroutine.
func (o *outbox) Next(ctx context.Context) ([]*bridge.Event, error) {
	for {
		o.readAhead()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		events, timer := o.next()
		if len(events) > 0 {
			return events, nil
		}
		select {
		case <-ctx.Done():
		case <-o.readyChanged:
		case <-timer:
		}
	}
}

// nextAtOnce is how many events Next gives out together.
const nextAtOnce = 256

// next takes the events that may go, or else tells when to look again for a lane that is delayed.
func (o *outbox) next() ([]*bridge.Event, <-chan time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	for l := o.delayed.due(now); l != nil; l = o.delayed.due(now) {
		o.resume(l)
	}
	var events []*bridge.Event
	for len(events) < nextAtOnce && !o.ready.empty() {
		l := o.ready.pop()
		l.underWay, l.events[0] = l.events[0], pending{} // or the array would keep it for as long as it has room
		l.events = l.events[1:]
		events = append(events, l.underWay.event)
	}
	if len(events) > 0 || len(o.delayed) == 0 {
		return events, nil
	}
	return nil, time.After(o.delayed[0].until.Sub(now))
}

// enqueueCommitted takes over what a commit has emitted and synced.
func (o *outbox) enqueueCommitted(events []pending, commit uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.synced = max(o.synced, commit)
	if len(events) == 0 {
		return
	}
	o.depth += len(events)
	if events[0].batch != nil {
		o.reserved -= len(events)
	} else {
		o.unreserved -= len(events)
	}
	for _, p := range events {
		o.enqueue(p)
	}
	o.notify()
}

// reserve reports whether so many events, which are about to be written, may become an event batch: then memory has a
// place for each, and nothing of their lanes is or will be on disk alone by the time that they are synced.
func (o *outbox) reserve(events int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.spilled || o.unreserved > 0 || o.memory+o.reserved+events > o.limit/2 {
		o.unreserved += events
		return false
	}
	o.reserved += events
	return true
}

// enqueue puts an event behind its lane, if there is room and nothing of the lane is on disk alone.
func (o *outbox) enqueue(p pending) {
	l := o.lanes[p.event.Lane]
	switch {
	case l == nil && o.spilled && !o.scannedPast(p.event.Lane):
		o.rescan = o.rescan || o.loading // what is read now may have been there before the event
	case o.memory >= o.limit, l != nil && l.loaded+1 != p.event.Sequence, l != nil && l.place >= 0 && o.spilled:
		o.spill(l, p)
	default:
		o.push(o.laneQueue(p.event.Lane, p.event.Sequence), p)
	}
}

// laneQueue returns the lane's queue, a new one that begins with a sequence if there is none.
func (o *outbox) laneQueue(lane bridge.Lane, first uint64) *laneQueue {
	l := o.lanes[lane]
	if l == nil {
		l = &laneQueue{lane: lane, loaded: first - 1, newest: first - 1, place: -1}
		o.lanes[lane] = l
	}
	return l
}

// push puts the event that follows into the lane's memory.
func (o *outbox) push(l *laneQueue, p pending) {
	l.loaded = p.event.Sequence
	l.newest = max(l.newest, l.loaded)
	l.events = append(l.events, p)
	o.memory++
	if len(l.events) == 1 {
		o.markReady(l)
	}
}

// markReady makes the queue ready if its first event may go.
func (o *outbox) markReady(l *laneQueue) {
	if len(l.events) > 0 && l.underWay.event == nil && l.place < 0 {
		o.ready.push(l)
		o.notify()
	}
}

// spill notes that an event is on disk only. The first one has the memory of all lanes given up that cannot go on now.
func (o *outbox) spill(l *laneQueue, p pending) {
	if !o.spilled {
		o.spilled = true
		for _, l := range o.delayed {
			o.unload(l)
		}
	}
	if l == nil && o.atLaneLimit() {
		o.requestRescan()
		return
	}
	l = o.laneQueue(p.event.Lane, p.event.Sequence)
	l.newest = p.event.Sequence
	o.scheduleRefill(l)
}

// unload gives up the queue's events in memory; they are read again.
func (o *outbox) unload(l *laneQueue) {
	if len(l.events) == 0 || slices.ContainsFunc(l.events, pending.inBatch) {
		return
	}
	l.loaded = l.events[0].event.Sequence - 1
	o.memory -= len(l.events)
	l.events = nil
}

// inBatch reports whether the event is in an event batch, which nobody reads.
func (p pending) inBatch() bool { return p.batch != nil && !p.batch.expanded }

// markExpanded notes that the events of event batches are in table o.
func (o *outbox) markExpanded(batches []*eventBatch) {
	if len(batches) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range batches {
		p.expanded = true
	}
}

func (o *outbox) notify() {
	select {
	case o.readyChanged <- struct{}{}:
	default:
	}
}

// knows reports whether something of the lane is in memory.
func (o *outbox) knows(lane bridge.Lane) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lanes[lane] != nil
}

// pending returns how many events are not acknowledged.
func (o *outbox) pending() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.depth
}

// age returns how long ago the oldest event in memory was recorded.
func (o *outbox) age(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	oldest := bridge.MillisOf(now)
	for _, l := range o.lanes {
		if l.underWay.event != nil {
			oldest = min(oldest, l.underWay.event.Recorded)
		} else if len(l.events) > 0 {
			oldest = min(oldest, l.events[0].event.Recorded)
		}
	}
	return time.Duration(bridge.MillisOf(now)-oldest) * time.Millisecond
}
