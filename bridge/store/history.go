package store

import (
	"encoding/binary"
	"fmt"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
	"livebridge/bridge/record"
)

// HistoryEntry is a published event that is kept.
type HistoryEntry struct {
	Number uint64 // later entries have greater ones
	outbox.Published
}

// keepAll writes the published events among removals that are kept.
func (b *Batch) keepAll(events []outbox.Removal) error {
	for i := range events {
		p := events[i].Published
		if p == nil {
			continue
		}
		if b.s.history.paused {
			b.s.history.skipped++
			continue
		}
		if err := b.keep(p); err != nil {
			return err
		}
	}
	return b.writeSegments()
}

// keep writes a published event that leaves the outbox: the event, and where it is found by lane and by id.
func (b *Batch) keep(p *outbox.Published) error {
	h := &b.s.history
	seg := h.open(p.At)
	number := seg.next()
	b.value = appendKept(b.value[:0], p)
	var buffer [192]byte
	bytes := len(b.value)
	for i, value := range [...][]byte{b.value, nil, nil} {
		key := historyKey(buffer[:0], i, seg.first, p.Event, number)
		bytes += len(key)
		if err := b.batch.Set(key, value, nil); err != nil {
			return err
		}
	}
	h.add(seg, p.At, bytes)
	return nil
}

// historyKey returns the i-th key of an entry: itself, by lane, by id.
func historyKey(dst []byte, i int, segment uint64, e *bridge.Event, number uint64) []byte {
	switch i {
	case 1:
		return historyLaneKey(dst, segment, e.Lane, number)
	case 2:
		return historyIDKey(dst, segment, e.ID, number)
	}
	return numberKey(dst, tableHistory, number)
}

// writeSegments writes the segments that have changed.
func (b *Batch) writeSegments() error {
	h := &b.s.history
	for ; h.changed < len(h.segments); h.changed++ {
		seg := &h.segments[h.changed]
		b.value = seg.append(b.value[:0])
		if err := b.batch.Set(numberKey(nil, tableSegment, seg.first), b.value, nil); err != nil {
			return err
		}
	}
	return nil
}

// HistoryDrop is what leaves the history before its time is over.
type HistoryDrop struct {
	Aged  uint64 // entries: beyond the time that they are kept for
	Sized uint64 // beyond the bytes that are kept
	Disk  uint64 // or never written, to make room on the disk
}

// PauseHistory has nothing more written to the history, or goes on with it.
func (s *Store) PauseHistory(paused bool) { s.history.paused = paused }

// DropHistory drops the oldest of the history: what is too old, what is too much, and as many bytes as the disk needs.
// It is to be called behind Remove.
func (b *Batch) DropHistory(now bridge.Millis, need uint64) (d HistoryDrop, err error) {
	h := &b.s.history
	d.Disk, h.skipped = h.skipped, 0
	if len(h.segments) == 0 {
		return d, nil
	}
	if d.Aged, _, err = b.dropSegments(h.expired(now)); err != nil {
		return d, err
	}
	for h.usage.Bytes > h.maxBytes && err == nil {
		var n uint64
		n, _, err = b.dropSegments(1)
		d.Sized += n
	}
	for need > 0 && h.usage.Entries > 0 && err == nil {
		var n, bytes uint64
		n, bytes, err = b.dropSegments(1)
		d.Disk += n
		need -= min(need, bytes)
	}
	return d, err
}

// dropSegments drops the n oldest segments. The last of all is followed by an empty one, so that no number is used
// again.
func (b *Batch) dropSegments(n int) (entries, bytes uint64, err error) {
	h := &b.s.history
	if n == 0 {
		return 0, 0, nil
	}
	first, end := h.segments[0].first, h.segments[n-1].next()
	for _, seg := range h.segments[:n] {
		entries, bytes = entries+seg.usage.Entries, bytes+seg.usage.Bytes
	}
	h.drop(n, end)
	b.s.freed += bytes
	for _, table := range []byte{tableHistory, tableSegment, tableHistoryLane, tableHistoryID} {
		if err := b.batch.DeleteRange(numberKey(nil, table, first), numberKey(nil, table, end), nil); err != nil {
			return 0, 0, err
		}
	}
	return entries, bytes, b.writeSegments()
}

// appendKept appends an entry of the history:
//
//	published partition offset topic subject event
func appendKept(dst []byte, p *outbox.Published) []byte {
	dst = binary.AppendVarint(dst, int64(p.At))
	dst = binary.AppendVarint(binary.AppendVarint(dst, int64(p.Where.Partition)), p.Where.Offset)
	dst = record.AppendText(record.AppendText(dst, p.Where.Topic), p.Where.Subject)
	return record.AppendEvent(dst, p.Event)
}

// readKept reads what appendKept has written. Texts that shared has are not allocated again.
func readKept(value []byte, shared record.Texts) (p outbox.Published, err error) {
	r := record.NewReader(value, shared)
	p.At = bridge.Millis(r.Varint())
	p.Where.Partition, p.Where.Offset = int32(r.Varint()), r.Varint()
	p.Where.Topic, p.Where.Subject = r.Text(), r.Text()
	if p.Event, err = r.Event(); err != nil {
		err = fmt.Errorf("history: %w", err)
	}
	return p, err
}

// historyLaneKey is where an entry is found by lane, in its segment.
func historyLaneKey(dst []byte, segment uint64, l bridge.Lane, number uint64) []byte {
	dst = append(appendLane(numberKey(dst, tableHistoryLane, segment), l), laneEnd)
	return binary.BigEndian.AppendUint64(dst, number)
}

// historyIDKey is where an entry is found by its event's id, in its segment.
func historyIDKey(dst []byte, segment uint64, id bridge.ID, number uint64) []byte {
	dst = append(numberKey(dst, tableHistoryID, segment), id[:]...)
	return binary.BigEndian.AppendUint64(dst, number)
}
