package journal

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// quarantinePerSignature is how many entries one signature may have, so that one captured message cannot push all
// others out.
const quarantinePerSignature = 4

// quarantineIndex knows what lies in the quarantine's tables well enough to keep their limits.
type quarantineIndex struct {
	max     int
	known   map[quarantineID]struct{}
	signed  map[[16]byte]int
	reasons map[bridge.Reason][]quarantineRecord // oldest first
	entries int
}

// quarantineID tells entries apart: a callback lies there once for one reason.
type quarantineID struct {
	id     bridge.ID
	reason bridge.Reason
}

// quarantineRecord is one entry without its event and body.
type quarantineRecord struct {
	number   uint64
	received bridge.Millis
	what     quarantineID
	sum      [16]byte // of the signature; zero: none
	bytes    int      // of the value in table Q
}

// admission is what becomes of an entry that asks to be kept.
type admission int

const (
	admitted    admission = iota
	alreadyKept           // it is there already
	overShare             // its signature has its share
)

func newQuarantineIndex(limit int) *quarantineIndex {
	return &quarantineIndex{
		max:     limit,
		known:   make(map[quarantineID]struct{}),
		signed:  make(map[[16]byte]int),
		reasons: make(map[bridge.Reason][]quarantineRecord),
	}
}

// admit tells whether an entry may be kept.
func (q *quarantineIndex) admit(what quarantineID, sum [16]byte) admission {
	if _, found := q.known[what]; found {
		return alreadyKept
	}
	if sum != [16]byte{} && q.signed[sum] >= quarantinePerSignature {
		return overShare
	}
	return admitted
}

// put notes an entry that is kept.
func (q *quarantineIndex) put(e quarantineRecord) {
	q.known[e.what] = struct{}{}
	q.reasons[e.what.reason] = append(q.reasons[e.what.reason], e)
	q.signed[e.sum]++
	q.entries++
}

// evict takes out the oldest entry of the most frequent reason, when there are too many.
func (q *quarantineIndex) evict() (quarantineRecord, bool) {
	if q.entries <= q.max {
		return quarantineRecord{}, false
	}
	var most bridge.Reason
	for reason, entries := range q.reasons {
		if n := len(entries); n > len(q.reasons[most]) || n == len(q.reasons[most]) && reason < most {
			most = reason
		}
	}
	e := q.reasons[most][0]
	q.take(e)
	return e, true
}

// expire takes out the oldest entry of any reason that was received before the instant.
func (q *quarantineIndex) expire(before bridge.Millis) (quarantineRecord, bool) {
	for _, entries := range q.reasons {
		if len(entries) > 0 && entries[0].received < before {
			e := entries[0]
			q.take(e)
			return e, true
		}
	}
	return quarantineRecord{}, false
}

// find returns the entry with the number.
func (q *quarantineIndex) find(number uint64) (quarantineRecord, bool) {
	for _, entries := range q.reasons {
		if i, found := slices.BinarySearchFunc(entries, number, compareNumber); found {
			return entries[i], true
		}
	}
	return quarantineRecord{}, false
}

func compareNumber(e quarantineRecord, number uint64) int { return cmp.Compare(e.number, number) }

// take takes out an entry that is there.
func (q *quarantineIndex) take(e quarantineRecord) {
	entries := q.reasons[e.what.reason]
	if i, _ := slices.BinarySearchFunc(entries, e.number, compareNumber); i == 0 {
		q.reasons[e.what.reason] = entries[1:]
	} else {
		q.reasons[e.what.reason] = slices.Delete(entries, i, i+1)
	}
	delete(q.known, e.what)
	if q.signed[e.sum]--; q.signed[e.sum] <= 0 {
		delete(q.signed, e.sum)
	}
	q.entries--
}

// load reads the table at the start.
func (q *quarantineIndex) load(db *pebble.DB) error {
	return each(db, tableQuarantineIndex, func(key, value []byte) error {
		e, err := readQuarantineRecord(key, value)
		if err != nil {
			return err
		}
		q.put(e)
		return nil
	})
}

// append appends the entry as it lies in table q: id(16) signature(16) bytes received reason.
func (e quarantineRecord) append(dst []byte) []byte {
	dst = append(append(dst, e.what.id[:]...), e.sum[:]...)
	dst = binary.AppendVarint(binary.AppendUvarint(dst, uint64(e.bytes)), int64(e.received))
	return record.AppendText(dst, e.what.reason)
}

func readQuarantineRecord(key, value []byte) (quarantineRecord, error) {
	r := record.NewReader(value, nil)
	e := quarantineRecord{number: binary.BigEndian.Uint64(key[1:])}
	e.what.id, e.sum = r.Bytes16(), r.Bytes16()
	e.bytes, e.received, e.what.reason = int(r.Uvarint()), bridge.Millis(r.Varint()), bridge.Reason(r.Text())
	if r.Err() != nil {
		return e, fmt.Errorf("quarantine entry %d: %w", e.number, r.Err())
	}
	return e, nil
}

// quarantineNotice makes the event that tells consumers of a quarantined callback.
func quarantineNotice(e *bridge.Event) *bridge.Event {
	notice := &bridge.Event{
		ID: e.ID, Type: bridge.TypeQuarantined, Lane: bridge.Lane{Kind: e.Lane.Kind},
		Recorded: e.Recorded, Scheme: e.Scheme, Reason: e.Reason,
	}
	if !e.Lane.IsZero() {
		notice.Subject = e.Lane.Subject()
	}
	notice.Data = appendNoticeData(nil, e, notice.Subject)
	return notice
}

// appendNoticeData appends the notice's data in canonical JSON. No text in it needs escaping.
func appendNoticeData(dst []byte, e *bridge.Event, subject string) []byte {
	dst = append(dst, '{')
	if len(e.Data) > 0 {
		dst = append(append(append(dst, `"body":`...), e.Data...), ',')
	}
	dst = append(append(append(dst, `"kind":"`...), e.Lane.Kind.String()...), `",`...)
	if subject != "" {
		dst = append(append(append(dst, `"lane":"`...), subject...), `",`...)
	}
	dst = append(append(append(dst, `"reason":"`...), e.Reason...), `","received":"`...)
	return append(e.Recorded.Append(dst), `"}`...)
}

// each calls f for every key of a table, in order; key and value are valid during the call.
func each(db *pebble.DB, table byte, f func(key, value []byte) error) error {
	return eachFrom(db, []byte{table}, func(key, value []byte) (bool, error) { return true, f(key, value) })
}
