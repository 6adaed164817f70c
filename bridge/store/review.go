package store

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/record"
)

// Review is what a replica knows of the state of a partition that it need not own: the entries that wait for an
// operator, the sessions that are open, and the last results of commands. It is used by one goroutine at a time.
type Review struct {
	position uint64
	state    State
	entries  map[byte]map[uint64][]byte // by table and number
	results  map[byte]CommandResult     // by slot
	open     map[string]bridge.Millis   // sessions, by the key of their lane
}

// NewReview returns what is known before anything was read.
func NewReview() *Review {
	return &Review{
		entries: map[byte]map[uint64][]byte{tableQuarantineIndex: {}, tableDeadLetter: {}},
		results: make(map[byte]CommandResult), open: make(map[string]bridge.Millis),
	}
}

// Position is where the rows begin that it does not know, in the state's own count.
func (v *Review) Position() uint64 { return v.position }

// Apply takes in rows that were committed; next is the position that follows them. The error is ErrOtherState where
// they do not belong to those before.
func (v *Review) Apply(rows []bridge.Row, next uint64) error {
	for _, row := range rows {
		if err := v.apply(row); err != nil {
			return fmt.Errorf("row %q of the state: %w", row.Key, err)
		}
	}
	v.position = next
	return nil
}

func (v *Review) apply(row bridge.Row) error {
	if len(row.Key) == 0 {
		return errRowKey
	}
	entries := v.entries[row.Key[0]]
	switch {
	case row.Key[0] == tableLane:
		return v.setLane(row)
	case entries != nil && len(row.Key) != 9:
		return errRowKey
	case entries != nil && row.Value == nil:
		delete(entries, binary.BigEndian.Uint64(row.Key[1:]))
		return nil
	case row.Value == nil:
		return nil
	}
	value, err := rowValue(row.Value)
	if err != nil {
		return err
	}
	switch row.Key[0] {
	case tableQuarantineIndex, tableDeadLetter:
		entries[binary.BigEndian.Uint64(row.Key[1:])] = slices.Clone(value)
	case tableResult:
		return v.setResult(row)
	case tableMeta:
		return v.setState(row.Value)
	}
	return nil
}

func (v *Review) setResult(row bridge.Row) (err error) {
	if len(row.Key) != 2 {
		return errRowKey
	}
	v.results[row.Key[1]], err = readResult(row.Value)
	return err
}

func (v *Review) setState(value []byte) error {
	state, err := readState(value)
	if err == nil && v.state.Origin != 0 && v.state.Origin != state.Origin {
		err = ErrOtherState
	}
	v.state = state
	return err
}

// State is what the partition knows of itself.
func (v *Review) State() *State { return &v.state }

// Result returns what became of a command; false: it was not decided yet, or so long ago that its result is gone.
func (v *Review) Result(id [16]byte) (CommandResult, bool) {
	for _, r := range v.results {
		if r.ID == id {
			return r, true
		}
	}
	return CommandResult{}, false
}

// Entries returns the entries of a review queue with a number above after, in order.
func (v *Review) Entries(q bridge.ReviewQueue, after uint64) (all []processor.Entry, err error) {
	table := byte(tableDeadLetter)
	if q == bridge.QuarantineQueue {
		table = tableQuarantineIndex
	}
	for _, number := range slices.Sorted(maps.Keys(v.entries[table])) {
		if number <= after {
			continue
		}
		value := v.entries[table][number]
		if table == tableQuarantineIndex {
			r := record.NewReader(value, nil)
			r.Bytes() // what the limits need to know
			value = r.Rest()
		}
		e, err := processor.ReadEntry(q, number, value)
		if err != nil {
			return nil, fmt.Errorf("entry %d of %s: %w", number, q, err)
		}
		all = append(all, e)
	}
	return all, nil
}
