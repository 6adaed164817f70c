package outbox

import (
	"bytes"
	"cmp"
	"fmt"

	"livebridge/bridge"
)

// Backlog is where the events lie that memory has no place for, each under its lane. Lanes come in the order of their
// kinds, those of one kind in the order of the bytes of their subjects. A Backlog is read by one goroutine at a time,
// beside the commits that change it, and may show what is written and not synced yet.
type Backlog interface {
	// ReadLanes reads each lane from where it is asked for, until the page is full. It fails when a lane has no such
	// event, or has a gap: the outbox asks for what must be there.
	ReadLanes(p *Page, requests []Request) error
	// Scan reads lane after lane from one on (zero: from the first), of each what wants returns: the sequence that is
	// known already and how many events may follow it. It sets p.Next to the lane that it has not come to any more.
	Scan(p *Page, from bridge.Lane, wants func(bridge.Lane) (known uint64, places int)) error
	// Has reports whether the event is there.
	Has(lane bridge.Lane, sequence uint64) (bool, error)
}

// Request is a lane that is to be read on.
type Request struct {
	Lane   bridge.Lane
	From   uint64 // sequence
	Places int    // events at the most
}

// pageBytes bounds one read, beside the number of its events.
const pageBytes = 4 << 20

// Page is one read of the backlog: what it may take, and what it has taken.
type Page struct {
	Committed uint64 // events of later commits are not on disk yet
	Most      int    // events; twice as many lanes
	All       bool   // everything that is asked for: without a bound

	Lanes []LanePage
	Next  bridge.Lane // where a scan goes on; zero: it has come to the end

	events int
	bytes  int
}

// LanePage is what was read of one lane.
type LanePage struct {
	Lane   bridge.Lane
	First  uint64    // sequence
	Events []Pending // without a gap
	Newest uint64    // the last sequence that the disk is known to have
}

// Full reports whether the page takes no more.
func (p *Page) Full() bool {
	return !p.All && (p.events >= p.Most || len(p.Lanes) >= 2*p.Most || p.bytes >= pageBytes)
}

// Begin returns what is to be read of a lane from a sequence on; End puts it into the page.
func (p *Page) Begin(lane bridge.Lane, first uint64, places int) LanePage {
	return LanePage{Lane: lane, First: first, Newest: first - 1, Events: make([]Pending, 0, min(places, mostShare))}
}

// Add takes the lane's next event, unless it has so many places taken or the page is full: then the event is only known
// to be there, and Add returns false. It fails when the event is not the one that follows.
func (p *Page) Add(l *LanePage, e *bridge.Event, size, places int) (more bool, err error) {
	if e.Sequence != l.Newest+1 {
		return false, fmt.Errorf("the journal's files are damaged: event %d of %v lies where %d should",
			e.Sequence, l.Lane, l.Newest+1)
	}
	l.Newest++
	if len(l.Events) == places || p.Full() {
		return false, nil
	}
	l.Events = append(l.Events, Pending{Event: e, Bytes: size})
	p.events, p.bytes = p.events+1, p.bytes+size
	return true, nil
}

// End puts what was read of a lane into the page.
func (p *Page) End(l LanePage) { p.Lanes = append(p.Lanes, l) }

// before reports whether a lane comes before another in the backlog.
func before(a, b bridge.Lane) bool {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), bytes.Compare(a.AppendSubject(nil), b.AppendSubject(nil))) < 0
}
