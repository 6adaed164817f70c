package store

import (
	"encoding/binary"
	"fmt"
	"slices"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/record"
)

// State is what a partition whose state the broker keeps knows of itself as a whole: one row, written with every
// commit.
type State struct {
	Origin          uint64        // drawn when the state began; 0: it has not
	Commits         uint64        // so many
	Next            uint64        // position in the intake that is read next
	Results         uint64        // commands whose results were written
	Recorded        bridge.Millis // the time of the last commit, by the clock of the intake log
	SignaturesBelow uint64        // signatures in parts below are forgotten
	Counters        processor.Counters
}

// value returns the row's value: version origin commits next results recorded signaturesBelow, and then the meta value
// of a journal.
func (s *State) value() []byte {
	dst := []byte{rowVersion}
	for _, n := range [...]uint64{s.Origin, s.Commits, s.Next, s.Results} {
		dst = binary.AppendUvarint(dst, n)
	}
	dst = binary.AppendUvarint(binary.AppendVarint(dst, int64(s.Recorded)), s.SignaturesBelow)
	m := meta{commit: s.Commits, counters: s.Counters}
	return m.append(dst)
}

// readState reads what value has returned.
func readState(value []byte) (s State, err error) {
	rest, err := rowValue(value)
	if err != nil {
		return s, err
	}
	r := record.NewReader(rest, nil)
	s = State{Origin: r.Uvarint(), Commits: r.Uvarint(), Next: r.Uvarint(), Results: r.Uvarint()}
	s.Recorded, s.SignaturesBelow = bridge.Millis(r.Varint()), r.Uvarint()
	if r.Err() != nil {
		return State{}, fmt.Errorf("state row: %w", r.Err())
	}
	m, err := readMeta(r.Rest())
	s.Counters = m.counters
	return s, err
}

// CopyCounters returns the counters, for a processor to change.
func (s *State) CopyCounters() processor.Counters {
	c := s.Counters
	c.Buckets = slices.Clone(c.Buckets)
	return c
}

// partOf returns the part that the identities of a bucket have rows in. The number of a bucket comes again once all
// were forgotten; with the instant at which it was begun it does not.
func partOf(b *processor.Bucket) uint64 {
	const digits = 20
	return uint64(b.First)<<digits | b.Number&(1<<digits-1)
}

// alive reports whether a part of a table of names has not been forgotten.
func (s *State) alive(table byte, part uint64) bool {
	if table == tableSignature {
		return part >= s.SignaturesBelow
	}
	return slices.ContainsFunc(s.Counters.Buckets, func(b processor.Bucket) bool { return partOf(&b) == part })
}
