package journal

import (
	"encoding/binary"
	"fmt"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// meta is what the journal knows about itself as a whole. It is written with every commit, so that a start needs to
// count nothing.
type meta struct {
	commit     uint64 // number of the last commit
	floor      uint64 // a new lane begins behind it: initialFloor, or the greatest sequence of a forgotten lane
	next       uint64 // number of the next quarantine entry or dead letter
	outbox     usage
	held       usage
	quarantine usage
	dead       usage
	buckets    []bucket // of seen identities, oldest first
}

// sequencesPerMilli leaves a lane so many events for each millisecond of its journal's life.
const sequencesPerMilli = 1000

// initialFloor is the floor of a journal that is created at an instant. A later journal has a higher one than any lane
// of an earlier one has reached, so that sequences go on rising for a consumer when DATA_DIR was lost. A clock before
// 1970 gives 0.
func initialFloor(now bridge.Millis) uint64 {
	return uint64(min(max(now, 0), lastMilli)) * sequencesPerMilli
}

// lastMilli is the end of the year 9999, the last that an event's time can be written in.
const lastMilli = bridge.Millis(253_402_300_799_999)

// usage counts the entries of a table and the bytes of their values.
type usage struct{ entries, bytes uint64 }

func (t *usage) add(bytes int) { t.entries, t.bytes = t.entries+1, t.bytes+uint64(bytes) }

func (t usage) plus(o usage) usage { return usage{t.entries + o.entries, t.bytes + o.bytes} }

func (t *usage) remove(bytes int) { t.entries, t.bytes = t.entries-1, t.bytes-uint64(bytes) }

// bucket is one of the few parts that the seen identities are dropped by.
type bucket struct {
	number uint64
	first  bridge.Millis // when it was begun
	last   bridge.Millis // when the last identity came in
	count  uint64
}

// bytes is what the tables take that it counts.
func (m *meta) bytes() uint64 {
	return m.outbox.bytes + m.held.bytes + m.quarantine.bytes + m.dead.bytes
}

// append appends the meta value: all members as varints, in the order of the structs.
func (m *meta) append(dst []byte) []byte {
	for _, v := range [...]uint64{m.commit, m.floor, m.next} {
		dst = binary.AppendUvarint(dst, v)
	}
	for _, t := range [...]usage{m.outbox, m.held, m.quarantine, m.dead} {
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, t.entries), t.bytes)
	}
	for _, b := range m.buckets {
		dst = binary.AppendUvarint(dst, b.number)
		dst = binary.AppendVarint(binary.AppendVarint(dst, int64(b.first)), int64(b.last))
		dst = binary.AppendUvarint(dst, b.count)
	}
	return dst
}

// readMeta reads what append has written.
func readMeta(value []byte) (meta, error) {
	r := record.NewReader(value, nil)
	m := meta{commit: r.Uvarint(), floor: r.Uvarint(), next: r.Uvarint()}
	for _, t := range [...]*usage{&m.outbox, &m.held, &m.quarantine, &m.dead} {
		t.entries, t.bytes = r.Uvarint(), r.Uvarint()
	}
	for r.More() {
		b := bucket{number: r.Uvarint(), first: bridge.Millis(r.Varint()), last: bridge.Millis(r.Varint())}
		b.count = r.Uvarint()
		m.buckets = append(m.buckets, b)
	}
	if r.Err() != nil {
		return meta{}, fmt.Errorf("meta record: %w", r.Err())
	}
	return m, nil
}
