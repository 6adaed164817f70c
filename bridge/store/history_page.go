package store

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// Bounds of one page of the history, beside the number of its events.
const (
	historyLooks     = 20_000  // entries that are looked at
	historyPageBytes = 4 << 20 // of events
)

// historyFilter is an EventFilter, checked.
type historyFilter struct {
	bridge.EventFilter
	lane  bridge.Lane
	id    bridge.ID
	hasID bool
}

// newHistoryFilter returns an error when the filter names no lane, or no id.
func newHistoryFilter(f bridge.EventFilter) (c historyFilter, err error) {
	c.EventFilter = f
	if f.Kind != "" || f.Lane != "" {
		if c.lane, err = LaneOf(f.Kind, f.Lane); err != nil {
			return c, err
		}
	}
	if f.ID == "" {
		return c, nil
	}
	text, _, _ := strings.Cut(f.ID, "-") // the id of a quarantine notice has the reason behind it
	n, err := hex.Decode(c.id[:], []byte(text)[:min(len(text), 2*len(c.id))])
	if err != nil || n != len(c.id) || len(text) != 2*len(c.id) {
		return c, fmt.Errorf("%q is no id of an event; ids have %d hex digits", f.ID, 2*len(c.id))
	}
	c.hasID = true
	return c, nil
}

// CheckFilter returns an error when a filter names no lane, or no id.
func CheckFilter(f bridge.EventFilter) error {
	_, err := newHistoryFilter(f)
	return err
}

// matches reports whether the event, which was published or received at a moment, is selected.
func (f *historyFilter) matches(e *bridge.Event, at bridge.Millis) bool {
	return (f.lane.IsZero() || e.Lane == f.lane) && (!f.hasID || e.ID == f.id) &&
		(f.Session == 0 || e.Session == f.Session) && at >= f.From && (f.Until == 0 || at < f.Until)
}

// historyReader reads one page of the history.
type historyReader struct {
	bridge.HistoryQuery
	filter   historyFilter
	snapshot *pebble.Snapshot
	texts    record.Texts
	from     uint64 // the page begins with this number; Newest: below it
	seen     map[replayed]bool

	found []HistoryEntry
	looks int
	bytes int
	next  []byte // cursor of the page that follows
}

// replayed names an event of which a page has one entry.
type replayed struct {
	lane     bridge.Lane
	sequence uint64
}

// HistoryPage reads a page of the history, and where the next one begins; nil: nowhere.
func (s *Store) HistoryPage(q bridge.HistoryQuery) (found []HistoryEntry, cursor []byte, err error) {
	r := historyReader{HistoryQuery: q, texts: make(record.Texts), seen: make(map[replayed]bool)}
	if r.filter, err = newHistoryFilter(q.EventFilter); err != nil {
		return nil, nil, err
	}
	r.Limit = pageLimit(q.Limit)
	if r.Newest {
		r.from = math.MaxUint64
	}
	if len(q.Cursor) == 8 {
		r.from = binary.BigEndian.Uint64(q.Cursor)
	}
	r.snapshot = s.db.NewSnapshot()
	err = errors.Join(r.read(), r.snapshot.Close())
	return r.found, r.next, err
}

// pageLimit returns how many entries a page has at most.
func pageLimit(asked int) int {
	if asked <= 0 || asked > bridge.PageMax {
		return bridge.PageMax
	}
	return asked
}

// read reads segment after segment until the page is full.
func (r *historyReader) read() error {
	segments, err := r.segments()
	if r.Newest {
		slices.Reverse(segments)
	}
	for i := 0; i < len(segments) && err == nil && r.next == nil; i++ {
		if r.overlaps(&segments[i]) {
			err = r.segment(&segments[i])
		}
	}
	return err
}

// segments reads the segments as the snapshot has them.
func (r *historyReader) segments() (all []segment, err error) {
	lower, upper := tableBounds(tableSegment)
	err = r.eachKey(lower, upper, false, func(key, value []byte) (bool, error) {
		seg, err := readSegment(key, value)
		all = append(all, seg)
		return true, err
	})
	return all, err
}

// overlaps reports whether the segment may have something for the page.
func (r *historyReader) overlaps(seg *segment) bool {
	if r.Newest && seg.first >= r.from || !r.Newest && seg.next() <= r.from {
		return false
	}
	return seg.usage.Entries > 0 && seg.until >= r.filter.From && (r.filter.Until == 0 || seg.from < r.filter.Until)
}

// segment reads a segment: by id, by lane, or all of it.
func (r *historyReader) segment(seg *segment) error {
	prefix, indexed := []byte{tableHistory}, true
	switch {
	case r.filter.hasID:
		prefix = append(numberKey(nil, tableHistoryID, seg.first), r.filter.id[:]...)
	case !r.filter.lane.IsZero():
		prefix = append(appendLane(numberKey(nil, tableHistoryLane, seg.first), r.filter.lane), laneEnd)
	default:
		indexed = false
	}
	first, end := max(seg.first, r.from), seg.next()
	if r.Newest {
		first, end = seg.first, min(seg.next(), r.from)
	}
	lower := binary.BigEndian.AppendUint64(slices.Clone(prefix), first)
	upper := binary.BigEndian.AppendUint64(slices.Clone(prefix), end)
	return r.eachKey(lower, upper, r.Newest, func(key, value []byte) (bool, error) {
		number := binary.BigEndian.Uint64(key[len(key)-8:])
		if r.full() {
			r.next = r.cursor(number)
			return false, nil
		}
		if indexed {
			return true, r.lookUp(number)
		}
		return true, r.look(number, value)
	})
}

// cursor returns the cursor of a page that begins with an entry.
func (r *historyReader) cursor(number uint64) []byte {
	if r.Newest {
		number++
	}
	return binary.BigEndian.AppendUint64(nil, number)
}

// full reports whether the page takes no more.
func (r *historyReader) full() bool {
	return len(r.found) >= r.Limit || r.looks >= historyLooks || r.bytes >= historyPageBytes
}

// lookUp reads an entry that an index names.
func (r *historyReader) lookUp(number uint64) error {
	value, closer, err := r.snapshot.Get(numberKey(nil, tableHistory, number))
	if err != nil {
		return fmt.Errorf("history entry %d: %w", number, err)
	}
	return errors.Join(r.look(number, value), closer.Close())
}

// look adds an entry to the page, if it is asked for.
func (r *historyReader) look(number uint64, value []byte) error {
	r.looks++
	p, err := readKept(value, r.texts)
	if err != nil || !r.filter.matches(p.Event, p.At) {
		return err
	}
	if r.Replayable {
		of := replayed{p.Event.Lane, p.Event.Sequence}
		if p.Event.Marks.Has(bridge.MarkReplayed) || r.seen[of] {
			return nil
		}
		r.seen[of] = true
	}
	r.found = append(r.found, HistoryEntry{number, p})
	r.bytes += len(value)
	return nil
}

// eachKey calls f for keys from lower to upper, in order or back, for as long as f returns true; key and value are
// valid during the call.
func (r *historyReader) eachKey(lower, upper []byte, back bool, f func(key, value []byte) (bool, error)) error {
	it, err := r.snapshot.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	first, next := it.First, it.Next
	if back {
		first, next = it.Last, it.Prev
	}
	more := true
	for ok := first(); ok && more && err == nil; ok = next() {
		var value []byte
		if value, err = it.ValueAndErr(); err == nil {
			more, err = f(it.Key(), value)
		}
	}
	return errors.Join(err, it.Close())
}
