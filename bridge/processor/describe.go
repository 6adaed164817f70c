package processor

import "livebridge/bridge"

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
