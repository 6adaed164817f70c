package store

import (
	"encoding/binary"
	"fmt"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/record"
)

// meta is what the store knows about itself as a whole. It is written with every commit, so that a start needs to count
// nothing.
type meta struct {
	commit   uint64          // number of the last commit
	outbox   processor.Usage // of table o
	counters processor.Counters
}

// set takes over the counters of a commit.
func (m *meta) set(c *processor.Counters) {
	buckets := append(m.counters.Buckets[:0], c.Buckets...)
	m.counters = *c
	m.counters.Buckets = buckets
}

// append appends the meta value: all members as varints.
//
//	commit floor next { entries bytes }*4 { bucket first last count }*     of outbox, held, quarantine, dead letters
func (m *meta) append(dst []byte) []byte {
	c := &m.counters
	for _, v := range [...]uint64{m.commit, c.Floor, c.Next} {
		dst = binary.AppendUvarint(dst, v)
	}
	for _, u := range [...]processor.Usage{m.outbox, c.Held, c.Quarantine, c.DeadLetters} {
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, u.Entries), u.Bytes)
	}
	for _, b := range c.Buckets {
		dst = binary.AppendUvarint(dst, b.Number)
		dst = binary.AppendVarint(binary.AppendVarint(dst, int64(b.First)), int64(b.Last))
		dst = binary.AppendUvarint(dst, b.Count)
	}
	return dst
}

// readMeta reads what append has written.
func readMeta(value []byte) (m meta, err error) {
	r := record.NewReader(value, nil)
	c := &m.counters
	m.commit, c.Floor, c.Next = r.Uvarint(), r.Uvarint(), r.Uvarint()
	for _, u := range [...]*processor.Usage{&m.outbox, &c.Held, &c.Quarantine, &c.DeadLetters} {
		u.Entries, u.Bytes = r.Uvarint(), r.Uvarint()
	}
	for r.More() {
		b := processor.Bucket{Number: r.Uvarint(), First: bridge.Millis(r.Varint()), Last: bridge.Millis(r.Varint())}
		b.Count = r.Uvarint()
		c.Buckets = append(c.Buckets, b)
	}
	if r.Err() != nil {
		return meta{}, fmt.Errorf("meta record: %w", r.Err())
	}
	return m, nil
}
