package journal

import (
	"bytes"
	"fmt"
	"math"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
)

const (
	// perLane is how much of one lane is in memory while others wait on disk; lanes take turns.
	perLane = 128
	// pageEvents and pageBytes bound one read.
	pageEvents = 1024
	pageBytes  = 4 << 20
	// lastEvents is how few events on disk alone are read under the lock: nothing new can come between, and the outbox
	// can do without the disk again.
	lastEvents = 512
)

// load reads from the backlog until something is found, nothing is there to find, or memory is full enough.
func (o *outbox) load() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.wantsLoading() {
		found, err := o.loadPage()
		if found > 0 || err != nil {
			return err
		}
	}
	return nil
}

// wantsLoading reports whether some events are on disk only, and there is a reason to read them now.
func (o *outbox) wantsLoading() bool {
	if o.spilled && o.depth == o.memory {
		o.spilled, o.cursor = false, nil
	}
	return o.spilled && !o.fruitless && o.memory < max(1, o.limit/2)
}

// loadPage reads once and returns how many events it found. The lock is given up while a long read goes on.
func (o *outbox) loadPage() (found int, err error) {
	lower, upper := tableBounds(tableOutbox)
	it, err := o.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return 0, err
	}
	p := page{it: it, synced: o.synced, from: o.cursor, more: make(map[bridge.Lane]bool)}
	if p.last = o.depth-o.memory <= lastEvents; p.last {
		p.from, p.wanted = nil, o.wantedLast
		err = p.read()
	} else {
		p.wanted = o.wanted
		o.loading = true
		o.mu.Unlock()
		err = p.read()
		o.mu.Lock()
		o.loading = false
	}
	if closeErr := it.Close(); err == nil {
		err = closeErr
	}
	found = o.merge(&p)
	o.forgetIdle()
	if err == nil && p.last && o.memory < o.depth {
		err = fmt.Errorf("the journal's files are damaged: the outbox counts %d events and has %d", o.depth, o.memory)
	}
	return found, err
}

// merge puts what was read into memory, but for what has got there in the meantime.
func (o *outbox) merge(p *page) (found int) {
	for _, e := range p.events {
		if l := o.line(e); e.event.Sequence == l.loaded+1 && (l.place < 0 || p.last) {
			o.append(l, e)
			found++
		}
	}
	for lane, more := range p.more {
		if l := o.lanes[lane]; l != nil && (l.place < 0 || p.last) {
			l.more = more
		}
	}
	o.fruitless = found == 0 && p.from == nil && p.next == nil
	o.cursor = p.next
	return found
}

// wanted returns up to which sequence a lane is known and how many more events of it memory has a place for.
func (o *outbox) wanted(lane bridge.Lane) (loaded uint64, places int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.lanes[lane]
	switch {
	case l == nil:
		return 0, perLane
	case l.place >= 0:
		return l.loaded, 0
	}
	return l.loaded, perLane - len(l.events)
}

// wantedLast is wanted for the last page, which takes everything and is read under the lock.
func (o *outbox) wantedLast(lane bridge.Lane) (loaded uint64, places int) {
	if l := o.lanes[lane]; l != nil {
		loaded = l.loaded
	}
	return loaded, math.MaxInt
}

// page is one read of the backlog.
type page struct {
	it     *pebble.Iterator
	synced uint64 // commits behind it are not on disk yet
	from   []byte // where to begin; nil: at the beginning
	last   bool   // everything that is left
	wanted func(bridge.Lane) (uint64, int)

	events []pending
	bytes  int
	more   map[bridge.Lane]bool // whether the disk has more of a lane that was read
	next   []byte               // where to go on; nil: the circle is closed
}

func (p *page) full() bool {
	return !p.last && (len(p.events) >= pageEvents || p.bytes >= pageBytes)
}

func (p *page) read() error {
	ok := p.it.First()
	if p.from != nil {
		ok = p.it.SeekGE(p.from)
	}
	for ok && !p.full() {
		prefix := bytes.Clone(outboxLaneOf(p.it.Key()))
		if err := p.readLane(prefix); err != nil {
			return err
		}
		prefix[len(prefix)-1] = afterLane
		ok = p.it.SeekGE(prefix)
	}
	if ok {
		p.next = bytes.Clone(p.it.Key())
	}
	return p.it.Error()
}

// readLane reads what is wanted of the lane that the iterator is at the beginning of.
func (p *page) readLane(prefix []byte) error {
	first, _, err := p.current()
	if err != nil {
		return err
	}
	lane := first.event.Lane
	loaded, places := p.wanted(lane)
	if places <= 0 {
		return nil
	}
	ok := true
	if first.event.Sequence <= loaded {
		ok = p.it.SeekGE(outboxKey(nil, lane, loaded+1))
	}
	for n := 0; ok && bytes.HasPrefix(p.it.Key(), prefix); n++ {
		e, commit, err := p.current()
		if p.more[lane] = n == places; p.more[lane] || err != nil || commit > p.synced {
			return err
		}
		p.events = append(p.events, e)
		p.bytes += e.bytes
		ok = p.it.Next()
	}
	return nil
}

// current reads the event that the iterator is at.
func (p *page) current() (e pending, commit uint64, err error) {
	value, err := p.it.ValueAndErr()
	if err != nil {
		return pending{}, 0, err
	}
	e.bytes = len(value)
	commit, e.event, err = readPending(value)
	return e, commit, err
}
