package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/record"
)

// heldEvent is an event that a lane holds.
type heldEvent struct {
	record []byte
	event  *bridge.Event
}

// heldKeyOf is where a cache keeps all that a lane holds. What lies there of a lane that holds nothing means nothing.
func heldKeyOf(lane []byte) []byte { return append(append([]byte{tableHeld}, lane...), laneEnd) }

// heldOf returns what the cache knows of events that a lane holds.
func (c *Cache) heldOf(lane bridge.Lane) (events []heldEvent, err error) {
	_, err = c.s.look(heldKeyOf(appendLane(nil, lane)), func(value []byte) error {
		events, err = readHeld(append([]byte(nil), value...))
		return err
	})
	return events, err
}

// readHeld reads events behind their lengths.
func readHeld(value []byte) (events []heldEvent, err error) {
	r := record.NewReader(value, nil)
	for r.More() {
		h := heldEvent{record: r.Bytes()}
		if r.Err() != nil {
			return nil, fmt.Errorf("held events: %w", r.Err())
		}
		if h.event, err = record.ReadEvent(h.record); err != nil {
			return nil, fmt.Errorf("held event: %w", err)
		}
		events = append(events, h)
	}
	return events, nil
}

// Apply takes in rows that were committed; next is the position in the state's own count that follows them. It keeps
// nothing of them. Rows may come again, if all that follow them do too.
func (c *Cache) Apply(rows []bridge.Row, next uint64) error {
	a := applier{c: c, batch: c.s.db.NewBatch(), state: c.state}
	for _, row := range rows {
		if err := a.apply(row); err != nil {
			return errors.Join(fmt.Errorf("row %q of the state: %w", row.Key, err), a.batch.Close())
		}
	}
	if err := a.writeNames(); err != nil {
		return err
	}
	position := binary.BigEndian.AppendUint64(nil, next)
	position = binary.BigEndian.AppendUint64(position, uint64(c.opts.Now().UnixMilli()))
	if err := a.batch.Set([]byte{tablePosition}, position, nil); err != nil {
		return err
	}
	if err := c.s.Isolate(func() error { return a.batch.Commit(pebble.NoSync) }); err != nil {
		return err
	}
	c.state, c.position = a.state, next
	return errors.Join(a.batch.Close(), c.s.Err())
}

// applier takes rows into a batch of the cache.
type applier struct {
	c     *Cache
	batch *pebble.Batch
	state State
	names []nameRow
}

// nameRow is a name as it lies on disk.
type nameRow struct {
	key   [25]byte
	value []byte
}

func (a *applier) apply(row bridge.Row) error {
	if len(row.Key) == 0 {
		return errRowKey
	}
	if row.Value == nil {
		return a.remove(row.Key)
	}
	value, err := rowValue(row.Value)
	if err != nil {
		return err
	}
	switch row.Key[0] {
	case tableMeta:
		return a.setState(row.Value)
	case tableLane:
		return a.setLane(row.Key, value)
	case tableIdentity, tableSignature:
		return a.addNames(row.Key, value)
	case tableQuarantineIndex:
		return a.setQuarantined(row.Key, value)
	case tableDeadLetter:
		return a.setDeadLetter(row.Key, value)
	case tableResult:
		return nil // the replica that asked reads it from the state
	}
	return errRowKey
}

// errRowKey says that a row has a key of no known form.
var errRowKey = errors.New("unknown key of a row; another version of livebridge, or something else, has written it")

// remove removes what a row stood for.
func (a *applier) remove(key []byte) error {
	switch {
	case key[0] == tableLane:
		return errors.Join(a.batch.Delete(key, nil), a.batch.Delete(heldKeyOf(key[1:]), nil))
	case (key[0] == tableIdentity || key[0] == tableSignature) && len(key) == namesKeyBytes:
		part := binary.BigEndian.Uint64(key[1:])
		a.c.names.removed(key)
		a.c.s.filterOf(key[0]).forget(part)
		return errors.Join(
			a.batch.Delete(append([]byte{tableNamesRows}, key...), nil),
			a.batch.DeleteRange(numberKey(nil, key[0], part), numberKey(nil, key[0], part+1), nil))
	case key[0] == tableQuarantineIndex:
		return errors.Join(a.batch.Delete(key, nil), a.batch.Delete(quarantineKeyOf(key), nil))
	case key[0] == tableDeadLetter, key[0] == tableResult:
		return a.batch.Delete(key, nil)
	}
	return errRowKey
}

// ErrOtherState says that rows are of another state than the cache: what it has does not belong to them.
var ErrOtherState = errors.New("the state was begun anew since the cache was written")

func (a *applier) setState(value []byte) error {
	state, err := readState(value)
	if err != nil {
		return err
	}
	if a.state.Origin != 0 && a.state.Origin != state.Origin {
		return ErrOtherState
	}
	a.state = state
	return a.batch.Set([]byte{tableMeta}, value, nil)
}

func (a *applier) setLane(key, value []byte) error {
	if _, err := laneOf(key); err != nil || len(key) < 2 {
		return errRowKey
	}
	r := record.NewReader(value, nil)
	lane := r.Bytes()
	if r.Err() != nil {
		return r.Err()
	}
	var l processor.LaneState
	if err := l.ReadRecord(lane, processor.Moment{}); err != nil {
		return err
	}
	err := a.batch.Set(key, lane, nil)
	if len(l.State.Held) > 0 {
		if _, held := readHeld(r.Rest()); held != nil {
			return held
		}
		err = errors.Join(err, a.batch.Set(heldKeyOf(key[1:]), r.Rest(), nil))
	}
	return err
}

// addNames takes in the names of a row, and remembers the row.
func (a *applier) addNames(key, value []byte) error {
	size := identityBytes
	if key[0] == tableSignature {
		size = signatureBytes
	}
	if len(key) != namesKeyBytes || len(value)%size != 0 {
		return errRowKey
	}
	filter, part := a.c.s.filterOf(key[0]), binary.BigEndian.Uint64(key[1:])
	value = a.c.names.applied(key, value)
	for ; len(value) > 0; value = value[size:] {
		sum := [16]byte(value)
		filter.add(part, sum)
		n := nameRow{value: value[identityBytes:size]}
		copy(n.key[:], key[:9])
		copy(n.key[9:], sum[:])
		a.names = append(a.names, n)
	}
	return a.batch.Set(append([]byte{tableNamesRows}, key...), nil, nil)
}

// writeNames writes the names of all rows in the order of their keys, in which a table takes them twice as fast.
func (a *applier) writeNames() error {
	slices.SortFunc(a.names, func(a, b nameRow) int { return bytes.Compare(a.key[:], b.key[:]) })
	for i := range a.names {
		if err := a.batch.Set(a.names[i].key[:], a.names[i].value, nil); err != nil {
			return err
		}
	}
	return nil
}

// quarantineKeyOf returns the key of an entry, which lies beside its index record.
func quarantineKeyOf(key []byte) []byte { return append([]byte{tableQuarantine}, key[1:]...) }

func (a *applier) setQuarantined(key, value []byte) error {
	r := record.NewReader(value, nil)
	index := r.Bytes()
	if len(key) != 9 || r.Err() != nil {
		return errors.Join(errRowKey, r.Err())
	}
	if _, err := readQuarantineRecord(key, index); err != nil {
		return err
	}
	if _, err := processor.ReadEntry(bridge.QuarantineQueue, 0, r.Rest()); err != nil {
		return err
	}
	return errors.Join(a.batch.Set(key, index, nil), a.batch.Set(quarantineKeyOf(key), r.Rest(), nil))
}

func (a *applier) setDeadLetter(key, value []byte) error {
	if len(key) != 9 {
		return errRowKey
	}
	if _, err := processor.ReadEntry(bridge.DeadLetterQueue, 0, value); err != nil {
		return err
	}
	return a.batch.Set(key, value, nil)
}
