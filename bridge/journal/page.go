package journal

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
)

// pageBytes bounds one read, beside the number of its events.
const pageBytes = 4 << 20

// page is one read of the backlog.
type page struct {
	db     *pebble.DB
	synced uint64 // commits behind it are not on disk yet
	most   int    // events; twice as many lanes
	last   bool   // everything that is left: without a bound

	it     *pebble.Iterator
	chunks []chunk
	events int
	bytes  int
	texts  texts
	next   []byte // where the scan goes on; nil: it has come to the end
}

// laneRequest is a lane that is to be read on.
type laneRequest struct {
	queue  *laneQueue // not the reader's
	lane   bridge.Lane
	from   uint64 // sequence
	places int    // events at the most
}

// chunk is what was read of one lane.
type chunk struct {
	lane   bridge.Lane
	first  uint64    // sequence
	events []pending // without a gap
	newest uint64    // the last sequence that the disk is known to have
}

func (p *page) full() bool {
	return !p.last && (p.events >= p.most || len(p.chunks) >= 2*p.most || p.bytes >= pageBytes)
}

// withIterator makes the iterator for as long as read needs it.
func (p *page) withIterator(read func() error) (err error) {
	lower, upper := tableBounds(tableOutbox)
	if p.it, err = p.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper}); err != nil {
		return err
	}
	return errors.Join(read(), p.it.Close())
}

// readLanes reads each lane from where it is asked for.
func (p *page) readLanes(requests []laneRequest) error {
	return p.withIterator(func() error {
		var key []byte
		for _, r := range requests {
			if p.full() {
				return nil
			}
			key = outboxKey(key[:0], r.lane, r.from)
			p.it.SeekGE(key)
			if err := p.readLane(outboxLaneOf(key), r.lane, r.from, r.places); err != nil {
				return err
			}
			if c := p.chunks[len(p.chunks)-1]; len(c.events) == 0 {
				return fmt.Errorf("the journal's files are damaged: event %d of %v is not in the outbox", r.from, r.lane)
			}
		}
		return nil
	})
}

// scan reads lane after lane, beginning at a key, what is wanted of each.
func (p *page) scan(from []byte, wants func(bridge.Lane) (loaded uint64, places int)) error {
	return p.withIterator(func() error {
		var prefix []byte
		for ok := p.it.SeekGE(from); ok && !p.full(); ok = p.it.SeekGE(prefix) {
			_, first, err := p.current()
			if err != nil {
				return err
			}
			prefix = append(prefix[:0], outboxLaneOf(p.it.Key())...)
			loaded, places := wants(first.Lane)
			begin := max(first.Sequence, loaded+1)
			if begin > first.Sequence {
				p.it.SeekGE(outboxKey(nil, first.Lane, begin))
			}
			if err := p.readLane(prefix, first.Lane, begin, places); err != nil {
				return err
			}
			prefix[len(prefix)-1] = afterLane
		}
		if p.it.Valid() {
			p.next = bytes.Clone(p.it.Key())
		}
		return nil
	})
}

// readLane reads what follows in the lane that the iterator is in, and looks whether there is more.
func (p *page) readLane(prefix []byte, lane bridge.Lane, first uint64, places int) error {
	c := chunk{lane: lane, first: first, newest: first - 1, events: make([]pending, 0, min(places, mostShare))}
	for ok := p.it.Valid(); ok && bytes.HasPrefix(p.it.Key(), prefix); ok = p.it.Next() {
		commit, e, err := p.current()
		if err != nil {
			return err
		}
		if commit > p.synced {
			break
		}
		if e.Sequence != c.newest+1 {
			return fmt.Errorf("the journal's files are damaged: event %d of %v lies where %d should",
				e.Sequence, lane, c.newest+1)
		}
		c.newest++
		if len(c.events) == places || p.full() {
			break
		}
		size := len(p.it.Value())
		c.events = append(c.events, pending{event: e, bytes: size})
		p.events, p.bytes = p.events+1, p.bytes+size
	}
	p.chunks = append(p.chunks, c)
	return p.it.Error()
}

// current reads the event that the iterator is at.
func (p *page) current() (commit uint64, e *bridge.Event, err error) {
	value, err := p.it.ValueAndErr()
	if err != nil {
		return 0, nil, err
	}
	r := reader{rest: value, shared: p.texts}
	commit = r.commit()
	e, err = r.event()
	return commit, e, err
}
