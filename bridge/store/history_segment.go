package store

import (
	"encoding/binary"
	"fmt"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/record"
)

// segmentShare is the part of the history's limits that one segment has: what is dropped is dropped by segments.
const segmentShare = 64

// leastSegment is the least size at which another segment is begun.
const leastSegment = 64 << 10

// segment is entries of the history that follow one another and are dropped together.
type segment struct {
	first       uint64 // number of its first entry
	usage       processor.Usage
	from, until bridge.Millis // when the first and the last of them were published; the clock may have jumped between
}

// next returns the number of the entry that follows the last one.
func (s *segment) next() uint64 { return s.first + s.usage.Entries }

// append appends the segment's record: entries bytes from until.
func (s *segment) append(dst []byte) []byte {
	dst = binary.AppendUvarint(binary.AppendUvarint(dst, s.usage.Entries), s.usage.Bytes)
	return binary.AppendVarint(binary.AppendVarint(dst, int64(s.from)), int64(s.until))
}

// readSegment reads what append has written.
func readSegment(key, value []byte) (s segment, err error) {
	r := record.NewReader(value, nil)
	s.first = binary.BigEndian.Uint64(key[1:])
	s.usage.Entries, s.usage.Bytes = r.Uvarint(), r.Uvarint()
	s.from, s.until = bridge.Millis(r.Varint()), bridge.Millis(r.Varint())
	if r.Err() != nil {
		err = fmt.Errorf("history segment %d: %w", s.first, r.Err())
	}
	return s, err
}

// history is the writer's memory of the history. Its limits are those of Options.
type history struct {
	keep     time.Duration
	maxBytes uint64

	segments []segment // oldest first; entries are added to the last one
	usage    processor.Usage
	changed  int // segments from this one on are not written yet

	paused  bool   // the disk has no room for more
	skipped uint64 // entries that were not written since
}

// open returns the segment for an event that was published at a moment: the last one, or another when that is full.
func (h *history) open(at bridge.Millis) *segment {
	n := len(h.segments)
	if n == 0 {
		h.segments = append(h.segments, segment{first: 1})
		return &h.segments[0]
	}
	last := &h.segments[n-1]
	age := time.Duration(at-last.from) * time.Millisecond
	if last.usage.Entries == 0 ||
		last.usage.Bytes < max(h.maxBytes/segmentShare, leastSegment) && age >= 0 && age < h.keep/segmentShare {
		h.changed = min(h.changed, n-1)
		return last
	}
	h.segments = append(h.segments, segment{first: last.next()})
	return &h.segments[n]
}

// add counts an entry.
func (h *history) add(seg *segment, at bridge.Millis, bytes int) {
	if seg.usage.Entries == 0 {
		seg.from, seg.until = at, at
	}
	seg.from, seg.until = min(seg.from, at), max(seg.until, at)
	seg.usage.Add(bytes)
	h.usage.Add(bytes)
}

// expired returns how many of the oldest segments are older than is kept. One from the future, where the clock has been
// ahead, goes with what follows it.
func (h *history) expired(now bridge.Millis) (n int) {
	if h.keep == 0 && h.usage.Entries > 0 { // it is off now
		return len(h.segments)
	}
	for i, seg := range h.segments {
		switch {
		case seg.usage.Entries == 0 || seg.until > now:
		case time.Duration(now-seg.until)*time.Millisecond <= h.keep:
			return n
		default:
			n = i + 1
		}
	}
	return n
}

// drop forgets the n oldest segments. The last of all is followed by an empty one that begins with a number.
func (h *history) drop(n int, next uint64) {
	for _, seg := range h.segments[:n] {
		h.usage.Entries -= seg.usage.Entries
		h.usage.Bytes -= seg.usage.Bytes
	}
	h.segments = append(h.segments[:0], h.segments[n:]...)
	h.changed = max(0, h.changed-n)
	if len(h.segments) == 0 {
		h.segments, h.changed = append(h.segments, segment{first: next}), 0
	}
}

// loadHistory takes up the segments that the last run has left.
func (s *Store) loadHistory() error {
	h := &s.history
	h.keep, h.maxBytes = s.opts.Keep, s.opts.KeepBytes
	err := s.each(tableSegment, func(key, value []byte) error {
		seg, err := readSegment(key, value)
		h.segments = append(h.segments, seg)
		h.usage = h.usage.Plus(seg.usage)
		return err
	})
	h.changed = len(h.segments)
	return err
}

// History returns what is kept of published events, and when the oldest of them was published.
func (s *Store) History() (kept processor.Usage, oldest bridge.Millis) {
	for _, seg := range s.history.segments {
		if seg.usage.Entries > 0 {
			return s.history.usage, seg.from
		}
	}
	return s.history.usage, 0
}
