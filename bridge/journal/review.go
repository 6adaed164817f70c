package journal

import (
	"math"
	"strings"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// List implements bridge.ReviewQueues. It reads beside the writer; what a commit on its way to the disk puts on a
// review queue may be shown.
func (j *Journal) List(s bridge.ReviewQueue, q bridge.Query) ([]bridge.Entry, error) {
	limit := q.Limit
	if limit <= 0 || limit > bridge.PageMax {
		limit = bridge.PageMax
	}
	if q.After == math.MaxUint64 { // there is none behind it, and no next number to begin with
		return nil, nil
	}
	var entries []bridge.Entry
	err := j.read(func() error {
		return j.store.Entries(s, q.After, func(kept processor.Entry) bool {
			if e := entryOf(s, &kept, q.Raw); matches(&e, &q) {
				entries = append(entries, e)
			}
			return len(entries) < limit
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

// entryOf is what an operator sees of an entry.
func entryOf(q bridge.ReviewQueue, kept *processor.Entry, raw bool) bridge.Entry {
	event := kept.Event
	e := bridge.Entry{
		Number: kept.Number, Reason: kept.Reason, Detail: kept.Detail, Received: event.Recorded.String(),
		ID: string(event.AppendID(nil)), Kind: event.Lane.Kind.String(), Type: event.Type, Scheme: event.Scheme.String(),
		Sequence: event.Sequence, Data: event.Data,
	}
	if q == bridge.QuarantineQueue { // its own id; that of the notice has the reason behind it
		e.ID = event.ID.String()
	}
	if !event.Lane.IsZero() {
		e.Lane = event.Lane.Subject()
	}
	if raw {
		e.Raw = kept.Raw
	}
	return e
}

// matches reports whether the query asks for the entry.
func matches(e *bridge.Entry, q *bridge.Query) bool {
	return (q.Lane == "" || e.Lane == q.Lane) && strings.HasPrefix(e.Reason, q.Reason)
}
