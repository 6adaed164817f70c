package store

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
	"livebridge/bridge/record"
)

// pageReader reads one page of the backlog.
type pageReader struct {
	*outbox.Page
	it    *pebble.Iterator
	texts record.Texts
}

// readPage makes the iterator for as long as a page needs it.
func (s *Store) readPage(p *outbox.Page, read func(pageReader) error) error {
	lower, upper := tableBounds(tableOutbox)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	return errors.Join(read(pageReader{p, it, make(record.Texts)}), it.Close())
}

// ReadLanes implements outbox.Backlog.
func (s *Store) ReadLanes(p *outbox.Page, requests []outbox.Request) error {
	return s.readPage(p, func(p pageReader) error {
		var key []byte
		for _, r := range requests {
			if p.Full() {
				return nil
			}
			key = outboxKey(key[:0], r.Lane, r.From)
			p.it.SeekGE(key)
			n, err := p.lane(outboxLaneOf(key), r)
			if err != nil {
				return err
			}
			if n == 0 {
				return fmt.Errorf("the journal's files are damaged: event %d of %v is not in the outbox", r.From, r.Lane)
			}
		}
		return nil
	})
}

// Scan implements outbox.Backlog.
func (s *Store) Scan(p *outbox.Page, from bridge.Lane, wants func(bridge.Lane) (known uint64, places int)) error {
	return s.readPage(p, func(p pageReader) error {
		prefix := []byte{tableOutbox}
		if from != (bridge.Lane{}) {
			prefix = outboxLaneOf(outboxKey(nil, from, 0))
		}
		for ok := p.it.SeekGE(prefix); ok && !p.Full(); ok = p.it.SeekGE(prefix) {
			_, first, err := p.current()
			if err != nil {
				return err
			}
			prefix = append(prefix[:0], outboxLaneOf(p.it.Key())...)
			known, places := wants(first.Lane)
			r := outbox.Request{Lane: first.Lane, From: max(first.Sequence, known+1), Places: places}
			if r.From > first.Sequence {
				p.it.SeekGE(outboxKey(nil, r.Lane, r.From))
			}
			if _, err := p.lane(prefix, r); err != nil {
				return err
			}
			prefix[len(prefix)-1] = afterLane
		}
		return p.goesOn()
	})
}

// goesOn notes where the scan goes on: in the lane that the iterator is in, if it is in one.
func (p pageReader) goesOn() error {
	if !p.it.Valid() {
		return nil
	}
	_, e, err := p.current()
	if err == nil {
		p.Next = e.Lane
	}
	return err
}

// lane reads what follows in the lane that the iterator is in, and looks whether there is more.
func (p pageReader) lane(prefix []byte, r outbox.Request) (n int, err error) {
	l := p.Begin(r.Lane, r.From, r.Places)
	for ok := p.it.Valid(); ok && bytes.HasPrefix(p.it.Key(), prefix); ok = p.it.Next() {
		commit, e, err := p.current()
		if err != nil {
			return 0, err
		}
		if commit > p.Committed {
			break
		}
		more, err := p.Add(&l, e, len(p.it.Value()), r.Places)
		if err != nil {
			return 0, err
		}
		if !more {
			break
		}
	}
	p.End(l)
	return len(l.Events), p.it.Error()
}

// current reads the event that the iterator is at.
func (p pageReader) current() (commit uint64, e *bridge.Event, err error) {
	value, err := p.it.ValueAndErr()
	if err != nil {
		return 0, nil, err
	}
	return readPending(value, p.texts)
}

// Has implements outbox.Backlog.
func (s *Store) Has(lane bridge.Lane, sequence uint64) (bool, error) {
	return s.look(outboxKey(nil, lane, sequence), func([]byte) error { return nil })
}
