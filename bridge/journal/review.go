package journal

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// List implements bridge.ReviewQueues. It reads beside the writer; what a commit on its way to the disk puts on a
// review queue may be shown.
func (j *Journal) List(s bridge.ReviewQueue, q bridge.Query) ([]bridge.Entry, error) {
	table, limit := tableDeadLetter, q.Limit
	if s == bridge.QuarantineQueue {
		table = tableQuarantine
	}
	if limit <= 0 || limit > bridge.PageMax {
		limit = bridge.PageMax
	}
	if q.After == math.MaxUint64 { // there is none behind it, and no next number to begin with
		return nil, nil
	}
	var entries []bridge.Entry
	err := j.read(func() error {
		return eachFrom(j.db, numberKey(nil, byte(table), q.After+1), func(key, value []byte) (bool, error) {
			s, err := readEntry(s, key, value)
			if err != nil {
				return false, err
			}
			if e := s.entry(q.Raw); matches(&e, &q) {
				entries = append(entries, e)
			}
			return len(entries) < limit, nil
		})
	})
	return entries, err
}

// Release implements bridge.ReviewQueues.
func (j *Journal) Release(s bridge.ReviewQueue, numbers []uint64) ([]bridge.Outcome, error) {
	r, err := j.do(command{op: opRelease, queue: s, numbers: numbers})
	return r.outcomes, err
}

// Purge implements bridge.ReviewQueues.
func (j *Journal) Purge(s bridge.ReviewQueue, numbers []uint64) ([]bridge.Outcome, error) {
	r, err := j.do(command{op: opPurge, queue: s, numbers: numbers})
	return r.outcomes, err
}

// reviewEntry is one entry as it lies in table Q or d.
type reviewEntry struct {
	queue   bridge.ReviewQueue
	number  uint64
	reason  string
	detail  string // of a dead letter
	event   *bridge.Event
	raw     []byte // of the quarantine alone; valid as long as the value is
	bytes   int
	emitted *bridge.Emission // the replay, once it is one
}

// readEntry reads the value of table Q (raw, event) or d (reason, detail, event).
func readEntry(s bridge.ReviewQueue, key, value []byte) (*reviewEntry, error) {
	r := record.NewReader(value, nil)
	e := &reviewEntry{queue: s, number: binary.BigEndian.Uint64(key[1:]), bytes: len(value)}
	head := r.Bytes()
	if s == bridge.DeadLetterQueue {
		e.detail = r.Text()
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	var err error
	if e.event, err = record.ReadEvent(r.Rest()); err != nil {
		return nil, err
	}
	if s == bridge.QuarantineQueue {
		e.raw, e.reason = head, string(e.event.Reason)
	} else {
		e.reason = string(head)
	}
	return e, nil
}

// entry is what an operator sees.
func (s *reviewEntry) entry(raw bool) bridge.Entry {
	e := bridge.Entry{
		Number: s.number, Reason: s.reason, Detail: s.detail, Received: s.event.Recorded.String(), ID: string(s.event.AppendID(nil)),
		Kind: s.event.Lane.Kind.String(), Type: s.event.Type, Scheme: s.event.Scheme.String(), Sequence: s.event.Sequence,
		Data: s.event.Data,
	}
	if s.queue == bridge.QuarantineQueue { // its own id; that of the notice has the reason behind it
		e.ID = s.event.ID.String()
	}
	if !s.event.Lane.IsZero() {
		e.Lane = s.event.Lane.Subject()
	}
	if raw {
		e.Raw = append(e.Raw, s.raw...)
	}
	return e
}

// matches reports whether the query asks for the entry.
func matches(e *bridge.Entry, q *bridge.Query) bool {
	return (q.Lane == "" || e.Lane == q.Lane) && strings.HasPrefix(e.Reason, q.Reason)
}

// eachFrom calls f for every key of first's table that is not below first, in order, for as long as f returns true; key
// and value are valid during the call.
func eachFrom(db *pebble.DB, first []byte, f func(key, value []byte) (bool, error)) error {
	_, upper := tableBounds(first[0])
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: first, UpperBound: upper})
	if err != nil {
		return err
	}
	more := true
	for ok := it.First(); ok && more && err == nil; ok = it.Next() {
		var value []byte
		if value, err = it.ValueAndErr(); err == nil {
			more, err = f(it.Key(), value)
		}
	}
	if closeErr := it.Close(); err == nil {
		err = closeErr
	}
	return err
}
