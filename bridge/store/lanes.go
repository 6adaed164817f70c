package store

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// IdleLanes looks at the next lanes, so many of them, going round for ever, and returns those that were idle for long
// enough to be forgotten and of which nothing is in the outbox: waits tells whether some of a lane is in its memory.
func (s *Store) IdleLanes(
	now processor.Moment, most int, waits func(bridge.Lane) bool,
) (idle []bridge.Lane, err error) {
	err = s.sweep(tableLane, &s.lanesCursor, most, func(key, value []byte) error {
		name, found, err := s.idle(key, value, now, waits)
		if found {
			idle = append(idle, name)
		}
		return err
	})
	return idle, err
}

// sweep calls f for the next keys of a table, so many of them, and goes on there the next time, round and round. Key
// and value are valid during the call.
func (s *Store) sweep(table byte, cursor *[]byte, most int, f func(key, value []byte) error) error {
	lower, upper := tableBounds(table)
	if *cursor != nil {
		lower = *cursor
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	ok := it.First()
	for n := 0; ok && err == nil && n < most; n++ {
		err = f(it.Key(), it.Value())
		ok = it.Next()
	}
	*cursor = nil
	if ok {
		*cursor = bytes.Clone(it.Key())
	}
	return errors.Join(err, it.Close())
}

// idle reports whether a lane can be forgotten.
func (s *Store) idle(key, value []byte, now processor.Moment, waits func(bridge.Lane) bool) (bridge.Lane, bool, error) {
	var l processor.LaneState
	if err := l.ReadRecord(value, now); err != nil || !l.Forgettable(now.Millis()) {
		return l.Name, false, err
	}
	name, err := laneOfKey(key)
	if err != nil || waits(name) {
		return name, false, err
	}
	outboxed, err := s.hasOutbox(key[1:])
	return name, err == nil && !outboxed, err
}

// hasOutbox reports whether table o has anything of the lane.
func (s *Store) hasOutbox(lane []byte) (found bool, err error) {
	lower := append(append([]byte{tableOutbox}, lane...), laneEnd)
	upper := append(append([]byte{tableOutbox}, lane...), afterLane)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return false, err
	}
	found = it.First()
	return found, it.Close()
}

// Lanes returns how many lanes are remembered.
func (s *Store) Lanes() (n uint64, err error) {
	err = s.each(tableLane, func(_, _ []byte) error { n++; return nil })
	return n, err
}
