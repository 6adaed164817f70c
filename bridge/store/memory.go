package store

import (
	"encoding/binary"
	"fmt"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/record"
)

// Memory calls f with what is remembered, one thing at a time and what is oldest first: identities, signatures, lanes,
// then the entries of the review queues. F may keep it. The error says so where a lane holds events: those are not
// remembered but still to come out.
func (s *Store) Memory(f func(*processor.Memory) error) error {
	return s.memory(s.meta.counters.Floor, func(byte, uint64) bool { return true }, f)
}

// Memory is the same as Store.Memory.
func (c *Cache) Memory(f func(*processor.Memory) error) error {
	return c.s.memory(c.state.Counters.Floor, c.state.alive, f)
}

// memory leaves out names in parts that are not alive.
func (s *Store) memory(floor uint64, alive func(byte, uint64) bool, f func(*processor.Memory) error) error {
	err := f(&processor.Memory{Floor: floor})
	for _, read := range []func(func(*processor.Memory) error) error{
		func(f func(*processor.Memory) error) error { return s.rememberedIdentities(alive, f) },
		func(f func(*processor.Memory) error) error { return s.rememberedSignatures(alive, f) },
		s.rememberedLanes, s.rememberedSuspects, s.rememberedDeadLetters,
	} {
		if err == nil {
			err = read(f)
		}
	}
	return err
}

func (s *Store) rememberedIdentities(alive func(byte, uint64) bool, f func(*processor.Memory) error) error {
	return s.each(tableIdentity, func(key, _ []byte) error {
		part, sum, err := readName(key)
		if err != nil || !alive(tableIdentity, part) {
			return err
		}
		return f(&processor.Memory{Identities: []bridge.ID{sum}})
	})
}

func (s *Store) rememberedSignatures(alive func(byte, uint64) bool, f func(*processor.Memory) error) error {
	return s.each(tableSignature, func(key, value []byte) error {
		part, sum, err := readName(key)
		if err != nil || !alive(tableSignature, part) {
			return err
		}
		r := record.NewReader(value, nil)
		use := processor.Signature{Name: processor.Name{Signature: true, Part: part, Sum: sum},
			Use: processor.SignatureUse{Signed: r.Bytes16(), ID: r.Bytes16()}}
		if r.Err() != nil {
			return r.Err()
		}
		return f(&processor.Memory{Signatures: []processor.Signature{use}})
	})
}

// readName reads the key of an identity or a signature.
func readName(key []byte) (part uint64, sum [16]byte, err error) {
	if len(key) != 1+8+16 {
		return 0, sum, fmt.Errorf("key %x of a name has %d bytes", key, len(key))
	}
	return binary.BigEndian.Uint64(key[1:]), [16]byte(key[9:]), nil
}

func (s *Store) rememberedLanes(f func(*processor.Memory) error) error {
	return s.each(tableLane, func(key, _ []byte) error {
		name, err := laneOfKey(key)
		if err != nil {
			return err
		}
		l, _, err := s.Lane(name, processor.Moment{})
		if err == nil && len(l.State.Held) > 0 {
			err = fmt.Errorf("lane %s holds %d events", name, len(l.State.Held))
		}
		if err != nil {
			return err
		}
		return f(&processor.Memory{Lanes: []processor.LaneState{l}})
	})
}

func (s *Store) rememberedSuspects(f func(*processor.Memory) error) error {
	return s.each(tableQuarantineIndex, func(key, value []byte) error {
		index, err := readQuarantineRecord(key, value)
		if err != nil {
			return err
		}
		e, found, err := s.Entry(processor.EntryRef{Place: processor.PlaceQuarantine, Number: index.Number})
		if err == nil && !found {
			err = fmt.Errorf("quarantine entry %d has no event", index.Number)
		}
		if err != nil {
			return err
		}
		return f(&processor.Memory{Quarantined: []processor.RememberedSuspect{
			{Sum: index.Sum, Raw: e.Raw, Event: e.Event}}})
	})
}

func (s *Store) rememberedDeadLetters(f func(*processor.Memory) error) error {
	var failed error
	err := s.Entries(bridge.DeadLetterQueue, 0, func(e processor.Entry) bool {
		failed = f(&processor.Memory{DeadLetters: []processor.DeadLetter{
			{Event: e.Event, Reason: bridge.Rejection(e.Reason), Detail: e.Detail}}})
		return failed == nil
	})
	if err != nil {
		return err
	}
	return failed
}
