package outbox

import (
	"container/heap"
	"context"
	"time"

	"livebridge/bridge"
)

const (
	// delayedMax bounds the memory of lanes that wait for another try; beyond, the next one is tried early.
	delayedMax = 50_000
	// DeadLetterRetry is how long an event waits at the head of its lane when the dead letters are full.
	DeadLetterRetry = 5 * time.Second
)

// Settle says what became of an event that Next returned. It does not block.
func (o *Outbox) Settle(e *bridge.Event, s bridge.Settlement) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.lanes[e.Lane]
	switch {
	case s.Retry > 0:
		o.delay(l, s.Retry)
	case s.DeadLetter != "":
		o.rejections = append(o.rejections, Rejection{Pending: l.underWay, Reason: s.DeadLetter, Detail: s.Detail})
		o.opts.WakeWriter()
	default:
		published := o.published(l)
		r := o.done(l)
		r.Published = published
		o.acknowledged = append(o.acknowledged, r)
	}
}

// done takes the event under way out of memory and lets the lane go on.
func (o *Outbox) done(l *laneQueue) Removal {
	p := l.underWay
	l.underWay = Pending{}
	l.unsaved++
	o.depth--
	o.memory--
	o.markReady(l)
	o.scheduleRefill(l)
	return Removal{Lane: l.lane, Sequence: p.Event.Sequence, Bytes: p.Bytes, Batch: p.Batch, Position: p.Position}
}

// delay puts the event under way back before the others and lets its lane wait.
func (o *Outbox) delay(l *laneQueue, wait time.Duration) {
	l.events = append([]Pending{l.underWay}, l.events...)
	l.underWay = Pending{}
	l.until = time.Now().Add(wait)
	heap.Push(&o.delayed, l)
	if o.state.spilled() {
		o.unload(l)
	}
	if len(o.delayed) > delayedMax {
		o.resume(heap.Pop(&o.delayed).(*laneQueue))
	}
	o.notify()
}

// resume lets a lane go on that has left the retry queue.
func (o *Outbox) resume(l *laneQueue) {
	o.markReady(l)
	o.scheduleRefill(l)
	o.dropIfDone(l)
}

// Trim has everything removed from the disk that was acknowledged before the call, once durable has returned nil.
func (o *Outbox) Trim(ctx context.Context, durable func(context.Context) error) error {
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
		o.opts.WakeWriter()
	}
	return nil
}

// HasWrites reports whether TakeWrites has something.
func (o *Outbox) HasWrites() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.removals)+len(o.rejections) > 0
}

// TakeWrites gives the writer what may go from the disk, each lane in its order, and what the broker will never take.
// The first comes back by Removed, the second by DeadLettered or DeadLettersFull. What is to be kept is given a share
// at a time.
func (o *Outbox) TakeWrites() ([]Removal, []Rejection) {
	o.mu.Lock()
	defer o.mu.Unlock()
	rejections := o.rejections
	o.rejections = nil
	if n := o.keptShare(); n < len(o.removals) {
		removals := o.removals[:n:n]
		o.removals = o.removals[n:]
		return removals, rejections
	}
	removals := o.removals
	o.removals = nil
	return removals, rejections
}

// DeadLettered lets the lane of a dead letter go on. It goes from the outbox as if the broker had it, behind those of
// its lane that the broker may not have on disk yet.
func (o *Outbox) DeadLettered(b Rejection) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if b.Event.Marks.Has(bridge.MarkReplayed) {
		o.rejected.add(b)
	}
	o.acknowledged = append(o.acknowledged, o.done(o.lanes[b.Event.Lane]))
}

// DeadLettersFull keeps an event at the head of its lane that the dead letters have no room for.
func (o *Outbox) DeadLettersFull(b Rejection) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.delay(o.lanes[b.Event.Lane], DeadLetterRetry)
}

// Removed notes what is gone from the disk.
func (o *Outbox) Removed(events []Removal) {
	if len(events) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range events {
		o.removeFromBatch(e.Batch)
		if l := o.lanes[e.Lane]; l != nil {
			l.unsaved--
			o.dropIfDone(l)
		}
	}
}

// removeFromBatch forgets an event batch with its last event.
func (o *Outbox) removeFromBatch(number uint64) {
	if n, found := o.intact[number]; found && n > 1 {
		o.intact[number] = n - 1
	} else if found {
		delete(o.intact, number)
	}
}
