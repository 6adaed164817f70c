package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/record"
)

// Lane implements processor.View.
func (s *Store) Lane(name bridge.Lane, now processor.Moment) (l processor.LaneState, found bool, err error) {
	var key [128]byte
	l.Name = name
	found, err = s.look(laneKey(key[:0], name), func(value []byte) error { return l.ReadRecord(value, now) })
	if found && err == nil && s.opts.SessionEvents && name.Kind == bridge.KindStream {
		_, err = s.look(sessionsKey(key[:0], name), l.ReadSessions)
	}
	return l, found, err
}

// Name implements processor.View. Most names that were never seen are known without reading the disk.
func (s *Store) Name(n processor.Name) (u processor.SignatureUse, found bool, err error) {
	if !s.filter(n).mayContain(n.Part, n.Sum) {
		return u, false, nil
	}
	var key [25]byte
	found, err = s.look(nameKey(key[:0], n), func(value []byte) error {
		if !n.Signature {
			return nil
		}
		r := record.NewReader(value, nil)
		u = processor.SignatureUse{Signed: r.Bytes16(), ID: r.Bytes16()}
		return r.Err()
	})
	return u, found, err
}

// filter returns the filter before the table of a name.
func (s *Store) filter(n processor.Name) *existenceFilter {
	if n.Signature {
		return s.signatures
	}
	return s.identities
}

// filterOf returns the filter before a table of names.
func (s *Store) filterOf(table byte) *existenceFilter {
	if table == tableSignature {
		return s.signatures
	}
	return s.identities
}

// Entry implements processor.View.
func (s *Store) Entry(of processor.EntryRef) (e processor.Entry, found bool, err error) {
	if of.Place == processor.PlaceHeld {
		found, err = s.look(heldKey(nil, of.Lane, of.Session, of.Phase), func(value []byte) (err error) {
			e.Bytes = len(value)
			e.Event, err = record.ReadEvent(value)
			return err
		})
		return e, found, err
	}
	queue, table := bridge.DeadLetterQueue, byte(tableDeadLetter)
	if of.Place == processor.PlaceQuarantine {
		queue, table = bridge.QuarantineQueue, tableQuarantine
	}
	found, err = s.look(numberKey(nil, table, of.Number), func(value []byte) (err error) {
		e, err = processor.ReadEntry(queue, of.Number, value)
		return err
	})
	return e, found, err
}

// Entries calls f for each entry of a review queue with a number above after, in order, for as long as f returns true.
func (s *Store) Entries(q bridge.ReviewQueue, after uint64, f func(processor.Entry) (more bool)) error {
	table := byte(tableDeadLetter)
	if q == bridge.QuarantineQueue {
		table = tableQuarantine
	}
	return s.eachFrom(numberKey(nil, table, after+1), func(key, value []byte) (bool, error) {
		e, err := processor.ReadEntry(q, binary.BigEndian.Uint64(key[1:]), value)
		return err == nil && f(e), err
	})
}

// Kept returns what the processor keeps in memory.
func (s *Store) Kept() (k processor.Kept, err error) {
	holding := make(map[bridge.Lane]bool)
	err = errors.Join(
		s.each(tableQuarantineIndex, func(key, value []byte) error {
			r, err := readQuarantineRecord(key, value)
			k.Quarantine = append(k.Quarantine, r)
			return err
		}),
		s.each(tableHeld, func(_, value []byte) error {
			e, err := record.ReadEvent(value)
			if err == nil && !holding[e.Lane] {
				holding[e.Lane] = true
				k.Holding = append(k.Holding, e.Lane)
			}
			return err
		}))
	return k, err
}

// quarantineRecord returns an entry as it lies in table q: id(16) signature(16) bytes received reason.
func quarantineRecord(e *processor.QuarantineRecord) []byte {
	dst := append(append([]byte(nil), e.What.ID[:]...), e.Sum[:]...)
	dst = binary.AppendVarint(binary.AppendUvarint(dst, uint64(e.Bytes)), int64(e.Received))
	return record.AppendText(dst, e.What.Reason)
}

func readQuarantineRecord(key, value []byte) (e processor.QuarantineRecord, err error) {
	r := record.NewReader(value, nil)
	e.Number = binary.BigEndian.Uint64(key[1:])
	e.What.ID, e.Sum = r.Bytes16(), r.Bytes16()
	e.Bytes, e.Received, e.What.Reason = int(r.Uvarint()), bridge.Millis(r.Varint()), bridge.Reason(r.Text())
	if r.Err() != nil {
		err = fmt.Errorf("quarantine entry %d: %w", e.Number, r.Err())
	}
	return e, err
}

// look calls f with the value of a key, valid during the call, and reports whether there is one.
func (s *Store) look(key []byte, f func(value []byte) error) (found bool, err error) {
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, errors.Join(f(value), closer.Close())
}

// get returns a copy of a value that must be there.
func (s *Store) get(key []byte) (copied []byte, err error) {
	found, err := s.look(key, func(value []byte) error { copied = append([]byte(nil), value...); return nil })
	if err == nil && !found {
		err = pebble.ErrNotFound
	}
	return copied, err
}

// each calls f for every key of a table, in order; key and value are valid during the call.
func (s *Store) each(table byte, f func(key, value []byte) error) error {
	return s.eachFrom([]byte{table}, func(key, value []byte) (bool, error) { return true, f(key, value) })
}

// eachFrom calls f for every key of first's table that is not below first, in order, for as long as f returns true; key
// and value are valid during the call.
func (s *Store) eachFrom(first []byte, f func(key, value []byte) (bool, error)) error {
	_, upper := tableBounds(first[0])
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: first, UpperBound: upper})
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
	return errors.Join(err, it.Close())
}
