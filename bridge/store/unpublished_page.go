package store

import (
	"bytes"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// Unpublished is an event that is held, or that the outbox has.
type Unpublished struct {
	Event *bridge.Event
	Held  bool
}

// unpublishedReader reads one page of what is not published.
type unpublishedReader struct {
	s      *Store
	filter historyFilter
	limit  int
	replay bool // only what a replay publishes
	texts  record.Texts

	found []Unpublished
	looks int
	bytes int
	next  []byte
}

// UnpublishedPage reads a page of what is held and of what the outbox has, and where the next one begins; nil: nowhere.
// The outbox may have events that the broker has acknowledged a moment ago.
func (s *Store) UnpublishedPage(q bridge.HistoryQuery) (found []Unpublished, cursor []byte, err error) {
	r := unpublishedReader{s: s, limit: pageLimit(q.Limit), replay: q.Replayable, texts: make(record.Texts)}
	if r.filter, err = newHistoryFilter(q.EventFilter); err != nil {
		return nil, nil, err
	}
	tables := []byte{tableHeld, tableEventBatch, tableOutbox} // in the order in which events move
	for i, table := range tables {
		first := r.prefix(table)
		if len(q.Cursor) > 0 {
			if at := bytes.IndexByte(tables, q.Cursor[0]); at > i {
				continue
			} else if at == i {
				first = q.Cursor
			}
		}
		if err := r.table(first); err != nil || r.next != nil {
			return r.found, r.next, err
		}
	}
	return r.found, nil, nil
}

// prefix returns what the keys of a table that are to be read begin with.
func (r *unpublishedReader) prefix(table byte) []byte {
	if table == tableEventBatch || r.filter.lane.IsZero() {
		return []byte{table}
	}
	return append(appendLane([]byte{table}, r.filter.lane), laneEnd)
}

// table reads a table from a key on.
func (r *unpublishedReader) table(first []byte) error {
	prefix := r.prefix(first[0])
	return r.s.eachFrom(first, func(key, value []byte) (bool, error) {
		switch {
		case !bytes.HasPrefix(key, prefix):
			return false, nil
		case len(r.found) >= r.limit || r.looks >= historyLooks || r.bytes >= historyPageBytes:
			r.next = bytes.Clone(key)
			return false, nil
		}
		return true, r.entry(key[0], value)
	})
}

// entry reads one value: an event, or all that a commit has emitted.
func (r *unpublishedReader) entry(table byte, value []byte) error {
	switch table {
	case tableHeld:
		reader := record.NewReader(value, r.texts)
		e, err := reader.Event()
		return r.look(e, true, len(value), err)
	case tableOutbox:
		_, e, err := readPending(value, r.texts)
		return r.look(e, false, len(value), err)
	}
	return eachRecord(value, func(_ int, row []byte) error {
		_, e, err := readPending(row, r.texts)
		if err == nil && e.Sequence < r.s.pendingFrom[e.Lane] { // the broker has it, and the lane has gone on
			return nil
		}
		return r.look(e, false, len(row), err)
	})
}

// look adds an event to the page, if it is asked for.
func (r *unpublishedReader) look(e *bridge.Event, held bool, size int, err error) error {
	if err != nil {
		return err
	}
	r.looks++
	if r.replay && (held || e.Marks.Has(bridge.MarkReplayed)) {
		return nil
	}
	if r.filter.matches(e, e.Recorded) {
		r.found = append(r.found, Unpublished{e, held})
		r.bytes += size
	}
	return nil
}
