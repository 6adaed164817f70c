// Package record is the byte form of events, the same in every place that keeps them: the journal's tables and the byte
// form of what the processor decides on. Numbers are varints (LEB128, signed ones zigzag) unless their bytes are given;
// a text has its length before it.
package record

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"livebridge/bridge"
)

// AppendEvent appends an event:
//
//	id(16) kind(1) phase(1) marks(1) scheme(1) session occurred recorded sequence
//	type domain app stream reason subject data
func AppendEvent(dst []byte, e *bridge.Event) []byte {
	dst = append(dst, e.ID[:]...)
	dst = append(dst, byte(e.Lane.Kind), byte(e.Phase), byte(e.Marks), byte(e.Scheme))
	dst = binary.AppendVarint(dst, int64(e.Session))
	dst = binary.AppendVarint(dst, int64(e.Occurred))
	dst = binary.AppendVarint(dst, int64(e.Recorded))
	dst = binary.AppendUvarint(dst, e.Sequence)
	for _, text := range [...]string{e.Type, e.Lane.Domain, e.Lane.App, e.Lane.Stream, string(e.Reason), e.Subject} {
		dst = AppendText(dst, text)
	}
	return AppendText(dst, e.Data)
}

// ReadEvent reads what AppendEvent has written. The event keeps nothing of value.
func ReadEvent(value []byte) (*bridge.Event, error) {
	r := NewReader(value, nil)
	return r.Event()
}

// Event takes an event. It keeps nothing of the value.
func (r *Reader) Event() (*bridge.Event, error) {
	e := &bridge.Event{ID: r.Bytes16()}
	e.Lane.Kind, e.Phase = bridge.Kind(r.Byte()), bridge.Phase(r.Byte())
	e.Marks, e.Scheme = bridge.Marks(r.Byte()), bridge.Scheme(r.Byte())
	e.Session, e.Occurred, e.Recorded = bridge.Millis(r.Varint()), bridge.Millis(r.Varint()), bridge.Millis(r.Varint())
	e.Sequence = r.Uvarint()
	e.Type, e.Lane.Domain, e.Lane.App, e.Lane.Stream = r.Text(), r.Text(), r.Text(), r.Text()
	e.Reason, e.Subject = bridge.Reason(r.Text()), r.Text()
	e.Data = bytes.Clone(r.Bytes())
	if r.err != nil {
		return nil, fmt.Errorf("event record: %w", r.err)
	}
	return e, nil
}
