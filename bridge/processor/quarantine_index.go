package processor

import (
	"cmp"
	"slices"

	"livebridge/bridge"
)

// quarantinePerSignature is how many entries one signature may have, so that one captured message cannot push all
// others out.
const quarantinePerSignature = 4

// quarantineIndex knows what lies in the quarantine's tables well enough to keep their limits.
type quarantineIndex struct {
	max     int
	known   map[QuarantineID]struct{}
	signed  map[[16]byte]int
	reasons map[bridge.Reason][]QuarantineRecord // oldest first
	entries int
}

// QuarantineID tells entries apart: a callback lies there once for one reason.
type QuarantineID struct {
	ID     bridge.ID
	Reason bridge.Reason
}

// QuarantineRecord is one entry without its event and body: what the limits need to know of it.
type QuarantineRecord struct {
	Number   uint64
	Received bridge.Millis
	What     QuarantineID
	Sum      [16]byte // of the signature; zero: none
	Bytes    int      // of its record
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
		known:   make(map[QuarantineID]struct{}),
		signed:  make(map[[16]byte]int),
		reasons: make(map[bridge.Reason][]QuarantineRecord),
	}
}

// admission tells what becomes of an entry. It changes nothing: put does.
func (q *quarantineIndex) admission(what QuarantineID, sum [16]byte) admission {
	if _, found := q.known[what]; found {
		return alreadyKept
	}
	if sum != [16]byte{} && q.signed[sum] >= quarantinePerSignature {
		return overShare
	}
	return admitted
}

// put notes an entry that is kept.
func (q *quarantineIndex) put(e QuarantineRecord) {
	q.known[e.What] = struct{}{}
	q.reasons[e.What.Reason] = append(q.reasons[e.What.Reason], e)
	q.signed[e.Sum]++
	q.entries++
}

// evict takes out the oldest entry of the most frequent reason, when there are too many.
func (q *quarantineIndex) evict() (QuarantineRecord, bool) {
	if q.entries <= q.max {
		return QuarantineRecord{}, false
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

// expire takes out the oldest entry that was received before the instant.
func (q *quarantineIndex) expire(before bridge.Millis) (oldest QuarantineRecord, found bool) {
	for _, entries := range q.reasons {
		if len(entries) > 0 && entries[0].Received < before && (!found || entries[0].Number < oldest.Number) {
			oldest, found = entries[0], true
		}
	}
	if found {
		q.take(oldest)
	}
	return oldest, found
}

// find returns the entry with the number.
func (q *quarantineIndex) find(number uint64) (QuarantineRecord, bool) {
	for _, entries := range q.reasons {
		if i, found := slices.BinarySearchFunc(entries, number, compareNumber); found {
			return entries[i], true
		}
	}
	return QuarantineRecord{}, false
}

func compareNumber(e QuarantineRecord, number uint64) int { return cmp.Compare(e.Number, number) }

// take takes out an entry that is there.
func (q *quarantineIndex) take(e QuarantineRecord) {
	entries := q.reasons[e.What.Reason]
	if i, _ := slices.BinarySearchFunc(entries, e.Number, compareNumber); i == 0 {
		q.reasons[e.What.Reason] = entries[1:]
	} else {
		q.reasons[e.What.Reason] = slices.Delete(entries, i, i+1)
	}
	delete(q.known, e.What)
	if q.signed[e.Sum]--; q.signed[e.Sum] <= 0 {
		delete(q.signed, e.Sum)
	}
	q.entries--
}
