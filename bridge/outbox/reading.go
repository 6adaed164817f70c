package outbox

import (
	"fmt"
	"math"

	"livebridge/bridge"
)

const (
	// leastShare and mostShare bound how many events of one lane memory has a place for while others wait on disk. Between
	// them it is divided evenly: the more lanes have a part, the more events can be under way.
	leastShare = 8
	mostShare  = 128
)

// share is how many events of each lane memory has a place for.
func (o *Outbox) share() int {
	return min(max(o.readingRoom()/max(len(o.lanes), 1), leastShare), mostShare)
}

// readingRoom is how many events memory may have when more are read from disk. The rest is for what comes in meanwhile.
func (o *Outbox) readingRoom() int { return max(1, o.opts.Limit/4*3) }

// pageEvents bounds one read.
func (o *Outbox) pageEvents() int { return max(o.opts.Limit/128, 1) }

// atLaneLimit reports whether enough lanes are known; others are found in their turn. Delayed ones have a bound of
// their own.
func (o *Outbox) atLaneLimit() bool { return len(o.lanes)-len(o.delayed) >= o.opts.Limit }

// scheduleRefill has a lane read on where memory ends, once much of its share is free: every read costs a search.
func (o *Outbox) scheduleRefill(l *laneQueue) {
	if l.needsRefill || !l.behind() || l.delayed() || len(l.events) > o.share()/4 {
		return
	}
	l.needsRefill = true
	o.refills.push(l)
	o.notify()
}

// readAhead has the backlog read on in the background, if there is a reason to: what was read before can go out
// meanwhile.
func (o *Outbox) readAhead() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.reading || !o.wantsReading() {
		return
	}
	o.reading = true
	o.opts.Background(func() {
		if err := o.readNext(); err != nil {
			o.opts.Fail(fmt.Errorf("read the outbox: %w", err))
		}
	})
}

// wantsReading reports whether some events are on disk only, and there is a reason to read them now.
func (o *Outbox) wantsReading() bool {
	if o.state.spilled() && o.depth == o.memory {
		o.change(allRead)
		o.scanCursor = bridge.Lane{}
	}
	return o.state.spilled() && o.memory < o.readingRoom() &&
		(o.nearlyDone() || !o.refills.empty() || !o.state.complete())
}

// nearlyDone reports whether the rest can be read at once, under the lock: nothing new can come between, and the outbox
// can do without the disk again.
func (o *Outbox) nearlyDone() bool { return o.state.complete() && o.depth-o.memory <= o.pageEvents() }

// readNext reads one page. After an error nothing is read any more.
func (o *Outbox) readNext() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.readPage()
	o.reading = err != nil
	o.notify()
	return err
}

// readPage plans a page under the lock, reads it without, and merges it under it.
func (o *Outbox) readPage() error {
	p := o.plan()
	if p.kind != readRest {
		o.loading = true
		o.mu.Unlock()
	}
	err := o.read(p)
	if p.kind != readRest {
		o.mu.Lock()
		o.loading = false
	}
	o.merge(p)
	if err == nil && p.kind == readRest && o.memory < o.depth {
		err = fmt.Errorf("the journal's files are damaged: the outbox counts %d events and has %d", o.depth, o.memory)
	}
	return err
}

// readKind is what a page reads.
type readKind uint8

const (
	readRest  readKind = iota // everything that is left, that of delayed lanes too; under the lock
	readScan                  // lane after lane, to find those without a queue
	readLanes                 // the lanes that are to be read on
)

// reading is one page on its way.
type reading struct {
	kind     readKind
	page     Page
	requests []Request    // of readRest and readLanes
	queues   []*laneQueue // of readLanes, those that are asked for
	from     bridge.Lane  // of readScan
}

// plan decides what to read next: what is left, or lanes that are known and lanes that are not, in turns.
func (o *Outbox) plan() *reading {
	p := &reading{page: Page{Committed: o.committed, Most: o.pageEvents()}}
	switch o.scanNext = !o.scanNext; {
	case o.nearlyDone():
		p.kind, p.page.All = readRest, true
		p.requests = o.allRequests()
	case o.refills.empty() || o.scanNext && !o.state.complete():
		p.kind, p.from = readScan, o.scanCursor
	default:
		p.kind = readLanes
		p.requests, p.queues = o.laneRequests()
	}
	return p
}

// read reads the page.
func (o *Outbox) read(p *reading) error {
	if p.kind == readScan {
		return o.opts.Backlog.Scan(&p.page, p.from, o.scanWants)
	}
	return o.opts.Backlog.ReadLanes(&p.page, p.requests)
}

// merge puts what was read into memory, but for what has got there in the meantime.
func (o *Outbox) merge(p *reading) {
	for _, c := range p.page.Lanes {
		if c.Newest < c.First { // nothing is synced yet
			continue
		}
		l := o.laneQueue(c.Lane, c.First)
		for _, e := range c.Events {
			if e.Event.Sequence == l.loaded+1 && (!l.delayed() || p.kind == readRest) {
				o.push(l, e)
			}
		}
		l.newest = max(l.newest, c.Newest)
		o.scheduleRefill(l)
	}
	o.dropDeferred()
	for _, l := range p.queues {
		o.scheduleRefill(l) // the page may have become full before
	}
	if p.kind != readScan {
		return
	}
	if o.scanCursor = p.page.Next; o.scanCursor == (bridge.Lane{}) {
		o.change(scanned)
	}
}

// allRequests takes every lane of which something is on disk alone.
func (o *Outbox) allRequests() (requests []Request) {
	for _, l := range o.lanes {
		if l.behind() {
			requests = append(requests, Request{l.lane, l.loaded + 1, math.MaxInt})
		}
	}
	return requests
}

// laneRequests takes lanes that are to be read on, as many as fill a page.
func (o *Outbox) laneRequests() (requests []Request, queues []*laneQueue) {
	share := o.share()
	for events := 0; events < o.pageEvents() && !o.refills.empty(); {
		l := o.refills.pop()
		l.needsRefill = false
		if places := share - len(l.events); places > 0 && l.behind() && !l.delayed() {
			requests = append(requests, Request{l.lane, l.loaded + 1, places})
			queues = append(queues, l)
			events += places
		}
	}
	return requests, queues
}

// scanWants returns up to which sequence a lane is known, and how many more events of it a scan takes: that there are
// more of a lane which is known is enough.
func (o *Outbox) scanWants(lane bridge.Lane) (loaded uint64, places int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if l := o.lanes[lane]; l != nil {
		return l.loaded, 0
	}
	return 0, leastShare
}

// scannedPast reports whether the scan has been where the lane is: what it has not found there was not there, unless
// something was missed since it began.
func (o *Outbox) scannedPast(lane bridge.Lane) bool {
	return o.state.complete() || o.state == scanning && before(lane, o.scanCursor)
}
