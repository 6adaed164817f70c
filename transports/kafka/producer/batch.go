package producer

import "time"

// batch is records of one partition that are sent, resent and answered together.
type batch struct {
	records []Record
	bytes   []byte // the record set; immutable while its outcome is unknown

	offset       int64 // base offset that the broker assigned
	firstSent    time.Time
	maybeWritten bool // it was sent and its outcome is unknown: the broker may have it

	// set by indexRecords, once records may be answered before the outcome is known
	eventKeys []eventKey
	index     map[eventKey]int
}

// indexRecords lets records that are published again find their position in the batch.
func (b *batch) indexRecords() {
	b.index = make(map[eventKey]int, len(b.records))
	for i := range b.records {
		b.eventKeys = append(b.eventKeys, eventKeyOf(b.records[i].Event))
		if b.eventKeys[i] != (eventKey{}) {
			b.index[b.eventKeys[i]] = i
		}
	}
}

// size is the size that the broker compares with max.message.bytes.
func (b *batch) size() int { return Size(b.bytes) }
