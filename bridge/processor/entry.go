package processor

import (
	"livebridge/bridge"
	"livebridge/bridge/record"
)

// Entry is an event that is kept.
type Entry struct {
	Number uint64 // 0: it is held
	Event  *bridge.Event
	Reason string // why it is in quarantine or a dead letter
	Detail string // of a dead letter
	Raw    []byte // in quarantine: the body as received
	Bytes  int    // of its record
}

// ReadEntry reads the record of an entry of a review queue. The entry keeps nothing of value.
func ReadEntry(q bridge.ReviewQueue, number uint64, value []byte) (Entry, error) {
	r := record.NewReader(value, nil)
	e := Entry{Number: number, Bytes: len(value)}
	head := r.Bytes()
	if q == bridge.DeadLetterQueue {
		e.Detail = r.Text()
	}
	if r.Err() != nil {
		return Entry{}, r.Err()
	}
	var err error
	if e.Event, err = r.Event(); err != nil {
		return Entry{}, err
	}
	if q == bridge.QuarantineQueue {
		e.Raw, e.Reason = append([]byte(nil), head...), string(e.Event.Reason)
	} else {
		e.Reason = string(head)
	}
	return e, nil
}

// Describe returns what an operator sees of an entry of a review queue; raw: with the body as received.
func (e *Entry) Describe(q bridge.ReviewQueue, raw bool) bridge.Entry {
	event := e.Event
	shown := bridge.Entry{
		Number: e.Number, Reason: e.Reason, Detail: e.Detail, Received: event.Recorded.String(),
		ID: string(event.AppendID(nil)), Kind: event.Lane.Kind.String(), Type: event.Type, Scheme: event.Scheme.String(),
		Sequence: event.Sequence, Data: event.Data,
	}
	if q == bridge.QuarantineQueue { // its own id; that of the notice has the reason behind it
		shown.ID = event.ID.String()
	}
	if !event.Lane.IsZero() {
		shown.Lane = event.Lane.Subject()
	}
	if raw {
		shown.Raw = e.Raw
	}
	return shown
}
