package outbox

import "slices"

// Reserve asks for memory for so many events, which are about to be committed, and reports whether they may become an
// event batch: then memory keeps a place for each, and nothing of their lanes is or will be on disk alone by the time
// that they are synced. Enqueue of these events gives the places back.
func (o *Outbox) Reserve(events int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.state.spilled() || o.unreserved > 0 || o.memory+o.reserved+events > o.opts.Limit/2 {
		o.unreserved += events
		return false
	}
	o.reserved += events
	return true
}

// Enqueue takes over what a commit has emitted, once that is synced: one event batch, or events under their lanes.
func (o *Outbox) Enqueue(events []Pending, commit uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.committed = max(o.committed, commit)
	if len(events) == 0 {
		return
	}
	o.depth += len(events)
	if batch := events[0].Batch; batch != 0 {
		o.reserved -= len(events)
		o.intact[batch] = len(events)
	} else {
		o.unreserved -= len(events)
	}
	for _, p := range events {
		o.enqueue(p)
	}
	o.notify()
}

// enqueue puts an event behind its lane, if there is room and nothing of the lane is on disk alone.
func (o *Outbox) enqueue(p Pending) {
	l := o.lanes[p.Event.Lane]
	switch {
	case l == nil && o.state.spilled() && !o.scannedPast(p.Event.Lane):
		if o.loading { // what is read now may have been there before the event
			o.change(missed)
		}
	case o.memory >= o.opts.Limit,
		l != nil && l.loaded+1 != p.Event.Sequence,
		l != nil && l.delayed() && o.state.spilled():
		o.spill(l, p)
	default:
		o.push(o.laneQueue(p.Event.Lane, p.Event.Sequence), p)
	}
}

// spill notes that an event is on disk only. The first one has the memory of all lanes given up that cannot go on now.
func (o *Outbox) spill(l *laneQueue, p Pending) {
	if !o.state.spilled() {
		o.change(spilled)
		for _, l := range o.delayed {
			o.unload(l)
		}
	}
	if l == nil && o.atLaneLimit() {
		o.change(missed)
		return
	}
	l = o.laneQueue(p.Event.Lane, p.Event.Sequence)
	l.newest = p.Event.Sequence
	o.scheduleRefill(l)
}

// unload gives up the queue's events in memory; they are read again.
func (o *Outbox) unload(l *laneQueue) {
	if len(l.events) == 0 || slices.ContainsFunc(l.events, o.inBatch) {
		return
	}
	l.loaded = l.events[0].Event.Sequence - 1
	o.memory -= len(l.events)
	l.events = nil
}

// inBatch reports whether the event is in an event batch, which nobody reads.
func (o *Outbox) inBatch(p Pending) bool { return p.Batch != 0 && o.intact[p.Batch] > 0 }

// Expanded notes that the events of event batches lie under their lanes now. To be called once the Backlog shows it.
func (o *Outbox) Expanded(batches []uint64) {
	if len(batches) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, number := range batches {
		delete(o.intact, number)
	}
}
