package journal

import (
	"bytes"
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

// behind reports whether the disk has more of the lane than memory.
func (l *laneQueue) behind() bool { return l.newest > l.loaded }

// share is how many events of each lane memory has a place for.
func (o *outbox) share() int {
	return min(max(o.readingRoom()/max(len(o.lanes), 1), leastShare), mostShare)
}

// readingRoom is how many events memory may have when more are read from disk. The rest is for what comes in meanwhile.
func (o *outbox) readingRoom() int { return max(1, o.limit/4*3) }

// scheduleRefill has a lane read on where memory ends, once much of its share is free: every read costs a search.
func (o *outbox) scheduleRefill(l *laneQueue) {
	if l.needsRefill || !l.behind() || l.place >= 0 || len(l.events) > o.share()/4 {
		return
	}
	l.needsRefill = true
	o.refills.push(l)
	o.notify()
}

// readAhead has the backlog read on in the background, if there is a reason to: what was read before can go out
// meanwhile.
func (o *outbox) readAhead() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.reading || !o.wantsLoading() {
		return
	}
	o.reading = true
	o.background(func() {
		if err := o.load(); err != nil {
			o.fatal(fmt.Errorf("read the outbox: %w", err))
		}
	})
}

// load reads one page. After an error nothing is read any more.
func (o *outbox) load() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.loadPage()
	o.reading = err != nil
	o.notify()
	return err
}

// wantsLoading reports whether some events are on disk only, and there is a reason to read them now.
func (o *outbox) wantsLoading() bool {
	if o.spilled && o.depth == o.memory {
		o.spilled, o.scanDone, o.scanCursor, o.rescan = false, true, nil, false
	}
	return o.spilled && o.memory < o.readingRoom() && (o.nearlyDone() || !o.refills.empty() || !o.scanDone)
}

// nearlyDone reports whether the rest can be read at once, under the lock: nothing new can come between, and the outbox
// can do without the disk again.
func (o *outbox) nearlyDone() bool { return o.scanDone && o.depth-o.memory <= o.pageEvents() }

// atLaneLimit reports whether enough lanes are known; others are found in their turn. Delayed ones have a bound of
// their own.
func (o *outbox) atLaneLimit() bool { return len(o.lanes)-len(o.delayed) >= o.limit }

// pageEvents bounds one read.
func (o *outbox) pageEvents() int { return max(o.limit/128, 1) }

func (o *outbox) newPage() *page {
	return &page{db: o.db, synced: o.synced, most: o.pageEvents(), texts: make(texts)}
}

// loadPage reads once: what is left, or lanes that are known and lanes that are not, in turns.
func (o *outbox) loadPage() error {
	p := o.newPage()
	switch o.scanNext = !o.scanNext; {
	case o.nearlyDone():
		return o.loadLast(p)
	case o.refills.empty() || o.scanNext && !o.scanDone:
		err := o.unlocked(func() error { return p.scan(o.scanCursor, o.scanWants) })
		o.scanAdvanced(p)
		return err
	default:
		requests := o.laneRequests()
		err := o.unlocked(func() error { return p.readLanes(requests) })
		o.merge(p)
		for _, a := range requests {
			o.scheduleRefill(a.queue) // the page may have become full before
		}
		return err
	}
}

// unlocked gives up the lock while a long read goes on.
func (o *outbox) unlocked(read func() error) error {
	o.loading = true
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		o.loading = false
	}()
	return read()
}

// loadLast reads everything that is left, that of delayed lanes too.
func (o *outbox) loadLast(p *page) error {
	var requests []laneRequest
	for _, l := range o.lanes {
		if l.behind() {
			requests = append(requests, laneRequest{l, l.lane, l.loaded + 1, math.MaxInt})
		}
	}
	p.last = true
	err := p.readLanes(requests)
	o.merge(p)
	if err == nil && o.memory < o.depth {
		err = fmt.Errorf("the journal's files are damaged: the outbox counts %d events and has %d", o.depth, o.memory)
	}
	return err
}

// laneRequests takes lanes that are to be read on, as many as fill a page.
func (o *outbox) laneRequests() (requests []laneRequest) {
	share := o.share()
	for events := 0; events < o.pageEvents() && !o.refills.empty(); {
		l := o.refills.pop()
		l.needsRefill = false
		if places := share - len(l.events); places > 0 && l.behind() && l.place < 0 {
			requests = append(requests, laneRequest{l, l.lane, l.loaded + 1, places})
			events += places
		}
	}
	return requests
}

// scanWants returns up to which sequence a lane is known, and how many more events of it a scan takes: that there are
// more of a lane which is known is enough.
func (o *outbox) scanWants(lane bridge.Lane) (loaded uint64, places int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if l := o.lanes[lane]; l != nil {
		return l.loaded, 0
	}
	return 0, leastShare
}

// merge puts what was read into memory, but for what has got there in the meantime.
func (o *outbox) merge(p *page) {
	for _, c := range p.chunks {
		if c.newest < c.first { // nothing is synced yet
			continue
		}
		l := o.laneQueue(c.lane, c.first)
		for _, e := range c.events {
			if e.event.Sequence == l.loaded+1 && (l.place < 0 || p.last) {
				o.push(l, e)
			}
		}
		l.newest = max(l.newest, c.newest)
		o.scheduleRefill(l)
	}
	o.dropDeferred()
}

// scanAdvanced merges a page of the scan and notes where that goes on. At the end it begins again if it may have passed
// by something.
func (o *outbox) scanAdvanced(p *page) {
	o.merge(p)
	o.scanCursor = p.next
	if p.next == nil {
		o.scanDone, o.rescan = !o.rescan, false
	}
}

// scannedPast reports whether the scan has been where the lane ends: what it has not found there was not there, unless
// something was missed since it began.
func (o *outbox) scannedPast(lane bridge.Lane) bool {
	return o.scanDone || !o.rescan && bytes.Compare(outboxKey(nil, lane, math.MaxUint64), o.scanCursor) < 0
}

// requestRescan has the table scanned once more: the disk alone has something of a lane that has no queue.
func (o *outbox) requestRescan() {
	o.rescan = !o.scanDone
	o.scanDone = false
}
