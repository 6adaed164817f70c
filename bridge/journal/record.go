package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"livebridge/bridge"
)

// appendEvent appends an event as it lies in the tables h, o, Q and d. Texts carry their length, numbers are varints.
//
//	id(16) kind(1) phase(1) marks(1) scheme(1) session occurred recorded sequence
//	type domain app stream reason subject data
func appendEvent(dst []byte, e *bridge.Event) []byte {
	dst = append(dst, e.ID[:]...)
	dst = append(dst, byte(e.Lane.Kind), byte(e.Phase), byte(e.Marks), byte(e.Scheme))
	dst = binary.AppendVarint(dst, int64(e.Session))
	dst = binary.AppendVarint(dst, int64(e.Occurred))
	dst = binary.AppendVarint(dst, int64(e.Recorded))
	dst = binary.AppendUvarint(dst, e.Sequence)
	for _, text := range [...]string{e.Type, e.Lane.Domain, e.Lane.App, e.Lane.Stream, string(e.Reason), e.Subject} {
		dst = appendText(dst, text)
	}
	return appendText(dst, e.Data)
}

// readEvent reads what appendEvent has written. The event keeps nothing of value.
func readEvent(value []byte) (*bridge.Event, error) {
	r := reader{rest: value}
	return r.event()
}

func (r *reader) event() (*bridge.Event, error) {
	e := &bridge.Event{ID: r.bytes16()}
	e.Lane.Kind, e.Phase = bridge.Kind(r.byte()), bridge.Phase(r.byte())
	e.Marks, e.Scheme = bridge.Marks(r.byte()), bridge.Scheme(r.byte())
	e.Session, e.Occurred, e.Recorded = bridge.Millis(r.varint()), bridge.Millis(r.varint()), bridge.Millis(r.varint())
	e.Sequence = r.uvarint()
	e.Type, e.Lane.Domain, e.Lane.App, e.Lane.Stream = r.text(), r.text(), r.text(), r.text()
	e.Reason, e.Subject = bridge.Reason(r.text()), r.text()
	e.Data = bytes.Clone(r.bytes())
	if r.err != nil {
		return nil, fmt.Errorf("event record: %w", r.err)
	}
	return e, nil
}

// commitDigits is the length of the commit number before an event of the outbox.
const commitDigits = 8

// appendPending appends an event of the outbox with the number of the commit that emitted it.
func appendPending(dst []byte, commit uint64, e *bridge.Event) []byte {
	return appendEvent(binary.BigEndian.AppendUint64(dst, commit), e)
}

// readPending reads what appendPending has written.
func readPending(value []byte) (commit uint64, e *bridge.Event, err error) {
	r := reader{rest: value}
	commit = r.commit()
	e, err = r.event()
	return commit, e, err
}

func (r *reader) commit() uint64 { return binary.BigEndian.Uint64(r.take(commitDigits)) }
