package outbox

import (
	"context"
	"sync"
	"time"

	"livebridge/bridge"
)

// Options is what an outbox needs from where it stands.
type Options struct {
	Backlog    Backlog
	Limit      int          // events in memory
	Depth      int          // events that the Backlog has at the start
	Committed  uint64       // number of the last commit
	WakeWriter func()       // called when TakeWrites has something
	Background func(func()) // calls a function while the Backlog can be read
	Fail       func(error)  // hears that the Backlog cannot be read

	Published func() bridge.Millis // the clock for events that are kept once they are published; nil: none are
}

// Outbox is the outbox of one partition. Next is called by one goroutine, everything else by any number.
type Outbox struct {
	opts Options

	mu           sync.Mutex
	lanes        map[bridge.Lane]*laneQueue // everything about a lane that has to do with the outbox now
	ready        fifo                       // queues whose first event may go
	readyChanged chan struct{}              // holds one token when Next should look again
	depth        int                        // events on disk that are not acknowledged
	memory       int                        // events in the queues, those under way included
	committed    uint64                     // number of the last synced commit
	reserved     int                        // events of event batches that are being synced
	unreserved   int                        // other events that are being synced
	intact       map[uint64]int             // events in memory or to be removed, by event batch that no reader finds
	delayed      retryQueue

	state         state
	refills       fifo         // lanes that are to be read on
	scanCursor    bridge.Lane  // where the scan goes on; zero: at the beginning
	scanNext      bool         // it is next
	reading       bool         // a page is on its way, or cannot be read
	loading       bool         // the disk is being read for it: queues must not be dropped
	deferredDrops []*laneQueue // would have been dropped since it began

	acknowledged []Removal   // since the last Trim
	removals     []Removal   // may go from the disk
	rejections   []Rejection // to the dead letters
	rejected     rejected    // replays that are dead letters again

	stored map[bridge.Lane]bridge.Position // of events under way that are to be kept
}

// New returns an outbox.
func New(opts Options) *Outbox {
	o := &Outbox{
		opts: opts, lanes: make(map[bridge.Lane]*laneQueue), readyChanged: make(chan struct{}, 1),
		depth: opts.Depth, committed: opts.Committed, intact: make(map[uint64]int),
	}
	if opts.Depth > 0 {
		o.change(missed)
	}
	if opts.Published != nil {
		o.stored = make(map[bridge.Lane]bridge.Position)
	}
	return o
}

// Next waits until some lane has an event and none under way and returns one event for each of some such lanes. It
// returns no other event of those lanes until that one is settled. It returns ctx.Err() when ctx ends.
func (o *Outbox) Next(ctx context.Context) ([]*bridge.Event, error) {
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
func (o *Outbox) next() ([]*bridge.Event, <-chan time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	for l := o.delayed.due(now); l != nil; l = o.delayed.due(now) {
		o.resume(l)
	}
	var events []*bridge.Event
	for len(events) < nextAtOnce && !o.ready.empty() {
		l := o.ready.pop()
		l.underWay, l.events[0] = l.events[0], Pending{} // or the array would keep it for as long as it has room
		l.events = l.events[1:]
		events = append(events, l.underWay.Event)
	}
	if len(events) > 0 || len(o.delayed) == 0 {
		return events, nil
	}
	return nil, time.After(o.delayed[0].until.Sub(now))
}

// notify makes Next look again.
func (o *Outbox) notify() {
	select {
	case o.readyChanged <- struct{}{}:
	default:
	}
}

// Knows reports whether something of the lane is in memory.
func (o *Outbox) Knows(lane bridge.Lane) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lanes[lane] != nil
}

// Pending returns how many emitted events the broker has not acknowledged.
func (o *Outbox) Pending() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.depth
}

// Age returns how long ago the oldest event in memory was recorded.
func (o *Outbox) Age(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	oldest := bridge.MillisOf(now)
	for _, l := range o.lanes {
		if first := l.first(); first != nil {
			oldest = min(oldest, first.Recorded)
		}
	}
	return time.Duration(bridge.MillisOf(now)-oldest) * time.Millisecond
}

// Drained reports whether the broker has acknowledged every event that was recorded at a moment or before it, whatever
// was emitted since. It is for a shutdown that accepts callbacks meanwhile: Pending may never be 0 then. What is on
// disk only may be of any age.
func (o *Outbox) Drained(at time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.depth == 0 {
		return true
	}
	if o.state.spilled() {
		return false
	}
	for _, l := range o.lanes {
		if first := l.first(); first != nil && first.Recorded <= bridge.MillisOf(at) {
			return false
		}
	}
	return true
}
