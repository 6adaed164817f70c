package processor

import (
	"encoding/binary"
	"errors"
	"fmt"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// appendMemory appends the byte form of a memory, as it lies in an input: lists have their count before them, texts
// their length.
//
//	id(16) floor lanes identities signatures quarantined deadLetters
//
//	lane         kind(1) domain app stream { length of the lane's record } { length of the record of its sessions }
//	identity     id(16)
//	signature    part signature(16) digest of the signed fields(16) id(16)
//	quarantined  signature(16) { length of raw event }
//	deadLetter   { length of reason detail event }
func appendMemory(dst []byte, m *Memory) []byte {
	dst = binary.AppendUvarint(append(dst, m.ID[:]...), m.Floor)
	dst = binary.AppendUvarint(dst, uint64(len(m.Lanes)))
	for i := range m.Lanes {
		dst = appendRememberedLane(dst, &m.Lanes[i])
	}
	dst = binary.AppendUvarint(dst, uint64(len(m.Identities)))
	for _, id := range m.Identities {
		dst = append(dst, id[:]...)
	}
	dst = binary.AppendUvarint(dst, uint64(len(m.Signatures)))
	for i := range m.Signatures {
		s := &m.Signatures[i]
		dst = append(binary.AppendUvarint(dst, s.Name.Part), s.Name.Sum[:]...)
		dst = append(append(dst, s.Use.Signed[:]...), s.Use.ID[:]...)
	}
	dst = binary.AppendUvarint(dst, uint64(len(m.Quarantined)))
	for i := range m.Quarantined {
		q := &m.Quarantined[i]
		dst = record.AppendText(append(dst, q.Sum[:]...), AppendQuarantined(nil, q.Raw, q.Event))
	}
	dst = binary.AppendUvarint(dst, uint64(len(m.DeadLetters)))
	for i := range m.DeadLetters {
		dst = record.AppendText(dst, m.DeadLetters[i].AppendRecord(nil))
	}
	return dst
}

func appendRememberedLane(dst []byte, l *LaneState) []byte {
	dst = appendLane(dst, l.Name)
	dst = record.AppendText(dst, l.AppendRecord(nil, Moment{}))
	var sessions []byte
	if len(l.Sessions) > 0 {
		sessions = l.AppendSessions(nil)
	}
	return record.AppendText(dst, sessions)
}

// readMemory takes what appendMemory has written. The memory keeps nothing of the reader's bytes.
func readMemory(r *record.Reader) (*Memory, error) {
	m := &Memory{ID: r.Bytes16(), Floor: r.Uvarint()}
	for n := r.Uvarint(); n > 0 && r.Err() == nil; n-- {
		l, err := readRememberedLane(r)
		if err != nil {
			return nil, err
		}
		m.Lanes = append(m.Lanes, l)
	}
	for n := r.Uvarint(); n > 0 && r.Err() == nil; n-- {
		m.Identities = append(m.Identities, r.Bytes16())
	}
	for n := r.Uvarint(); n > 0 && r.Err() == nil; n-- {
		s := Signature{Name: Name{Signature: true, Part: r.Uvarint(), Sum: r.Bytes16()}}
		s.Use = SignatureUse{Signed: r.Bytes16(), ID: r.Bytes16()}
		m.Signatures = append(m.Signatures, s)
	}
	return m, errors.Join(m.readQuarantined(r), m.readDeadLetters(r))
}

// errHolds says that a lane that is to be remembered holds something.
var errHolds = errors.New("it holds events, which are not handed over")

func readRememberedLane(r *record.Reader) (LaneState, error) {
	l := LaneState{Name: readLane(r)}
	state, sessions := r.Bytes(), r.Bytes()
	if r.Err() != nil {
		return l, r.Err()
	}
	err := l.ReadRecord(state, Moment{})
	if err == nil && len(l.State.Held) > 0 {
		err = errHolds
	}
	if err == nil && len(sessions) > 0 {
		err = l.ReadSessions(sessions)
	}
	if err != nil {
		return l, fmt.Errorf("lane %s: %w", l.Name, err)
	}
	return l, nil
}

func (m *Memory) readQuarantined(r *record.Reader) error {
	for n := r.Uvarint(); n > 0 && r.Err() == nil; n-- {
		q := RememberedSuspect{Sum: r.Bytes16()}
		e, err := ReadEntry(bridge.QuarantineQueue, 0, r.Bytes())
		if err != nil {
			return fmt.Errorf("quarantine entry: %w", err)
		}
		q.Raw, q.Event = e.Raw, e.Event
		m.Quarantined = append(m.Quarantined, q)
	}
	return r.Err()
}

func (m *Memory) readDeadLetters(r *record.Reader) error {
	for n := r.Uvarint(); n > 0 && r.Err() == nil; n-- {
		e, err := ReadEntry(bridge.DeadLetterQueue, 0, r.Bytes())
		if err != nil {
			return fmt.Errorf("dead letter: %w", err)
		}
		m.DeadLetters = append(m.DeadLetters,
			DeadLetter{Event: e.Event, Reason: bridge.Rejection(e.Reason), Detail: e.Detail})
	}
	return r.Err()
}
