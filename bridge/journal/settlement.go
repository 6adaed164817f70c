package journal

import (
	"container/heap"
	"context"
	"time"

	"livebridge/bridge"
)

const (
	// delayedMax bounds the memory of lanes that wait for another try; beyond, the next one is tried early.
	delayedMax = 50_000
	// deadLetterRetry is how long an event waits at the head of its lane when the dead letters are full.
	deadLetterRetry = 5 * time.Second
)

// Settle implements dispatch.Outbox.
func (o *outbox) Settle(e *bridge.Event, s bridge.Settlement) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.lanes[e.Lane]
	switch {
	case s.Retry > 0:
		o.delay(l, s.Retry)
	case s.DeadLetter != "":
		o.rejections = append(o.rejections, rejection{pending: l.underWay, reason: s.DeadLetter, detail: s.Detail})
		o.wakeWriter()
	default:
		o.acknowledged = append(o.acknowledged, o.done(l))
	}
}

// done takes the event under way out of memory and lets the lane go on.
func (o *outbox) done(l *laneQueue) acked {
	p := l.underWay
	l.underWay = pending{}
	l.unsaved++
	o.depth--
	o.memory--
	o.markReady(l)
	o.scheduleRefill(l)
	return acked{queue: l, sequence: p.event.Sequence, bytes: p.bytes, batch: p.batch, position: p.position}
}

// delay puts the event under way back before the others and lets its lane wait.
func (o *outbox) delay(l *laneQueue, wait time.Duration) {
	l.events = append([]pending{l.underWay}, l.events...)
	l.underWay = pending{}
	l.until = time.Now().Add(wait)
	heap.Push(&o.delayed, l)
	if o.spilled {
		o.unload(l)
	}
	if len(o.delayed) > delayedMax {
		o.resume(heap.Pop(&o.delayed).(*laneQueue))
	}
	o.notify()
}

// resume lets a lane go on that has left the retry queue.
func (o *outbox) resume(l *laneQueue) {
	o.markReady(l)
	o.scheduleRefill(l)
	o.dropIfDone(l)
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
		o.wakeWriter()
	}
	return nil
}

// hasWrites reports whether the writer has something to do for the outbox.
func (o *outbox) hasWrites() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.removals)+len(o.rejections) > 0
}

// takeWrites gives that to the writer.
func (o *outbox) takeWrites() ([]acked, []rejection) {
	o.mu.Lock()
	defer o.mu.Unlock()
	removals, rejections := o.removals, o.rejections
	o.removals, o.rejections = nil, nil
	return removals, rejections
}

// deadLettered lets the lane of a dead letter go on. It goes from the outbox as if the broker had it, behind those of
// its lane that the broker may not have on disk yet.
func (o *outbox) deadLettered(b rejection) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if b.event.Marks.Has(bridge.MarkReplayed) {
		o.rejected.add(b)
	}
	o.acknowledged = append(o.acknowledged, o.done(o.lanes[b.event.Lane]))
}

// deadLettersFull keeps an event at the head of its lane that the dead letters have no room for.
func (o *outbox) deadLettersFull(b rejection) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.delay(o.lanes[b.event.Lane], deadLetterRetry)
}

// removed notes what is gone from the store.
func (o *outbox) removed(events []acked) {
	if len(events) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range events {
		a.queue.unsaved--
		o.dropIfDone(a.queue)
	}
}

// dropIfDone drops the queue when nothing is left to know about it. While the disk is being read it stays: the reader
// may see events that are gone by now, and only the queue tells that they are.
func (o *outbox) dropIfDone(l *laneQueue) {
	switch {
	case l.unsaved > 0 || len(l.events) > 0 || l.underWay.event != nil || l.place >= 0 || l.behind():
	case o.loading:
		o.deferredDrops = append(o.deferredDrops, l)
	case o.lanes[l.lane] == l:
		delete(o.lanes, l.lane)
	}
}

// dropDeferred forgets what could not be forgotten during a read.
func (o *outbox) dropDeferred() {
	deferred := o.deferredDrops
	o.deferredDrops = nil
	for _, l := range deferred {
		o.dropIfDone(l)
	}
}
