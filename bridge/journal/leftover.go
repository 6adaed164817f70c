package journal

import (
	"bytes"
	"errors"
	"maps"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
)

// leftover is what the parcels of the last run have of one lane: records by sequence.
type leftover map[uint64][]byte

// unpackAll moves what waits in the parcels that the last run has left into table o. An event that the broker has already
// may come out once more, as after any crash. Where nothing may be written they are counted alone.
func (j *Journal) unpackAll() error {
	batch := j.db.NewBatch()
	lanes, err := j.readParcels(batch)
	if err != nil {
		return err
	}
	for lane, records := range lanes {
		if err := j.unpackLane(batch, lane, records); err != nil {
			return err
		}
	}
	if batch.Empty() || j.quiet == readOnly {
		return batch.Close()
	}
	if err := batch.Set([]byte{tableMeta}, j.meta.append(nil), nil); err != nil {
		return err
	}
	return batch.Commit(pebble.Sync)
}

// readParcels returns what all parcels have, lane by lane; the batch removes them.
func (j *Journal) readParcels(batch *pebble.Batch) (map[bridge.Lane]leftover, error) {
	lanes := make(map[bridge.Lane]leftover)
	return lanes, each(j.db, tableParcel, func(key, value []byte) error {
		err := eachRecord(bytes.Clone(value), func(_ int, record []byte) error {
			_, e, err := readPending(record)
			if err != nil {
				return err
			}
			if lanes[e.Lane] == nil {
				lanes[e.Lane] = make(leftover)
			}
			lanes[e.Lane][e.Sequence] = record
			return nil
		})
		return errors.Join(err, batch.SingleDelete(key, nil))
	})
}

// unpackLane moves what waits of one lane.
func (j *Journal) unpackLane(batch *pebble.Batch, lane bridge.Lane, records leftover) error {
	first, err := j.firstWaiting(lane, records)
	if err != nil {
		return err
	}
	for sequence, record := range records {
		switch {
		case sequence < first:
		case j.quiet == readOnly:
			j.parcels.tally.add(len(record))
		default:
			err = errors.Join(err, unpackRecord(batch, &j.meta, record))
		}
	}
	return err
}

// firstWaiting returns the first sequence of the lane that is not done with. A parcel stays whole until its last event may
// go, so it may still have some of a lane that has gone on since. Those lie before a sequence that is on disk no more: events
// are removed in the order of their lane, none before the broker has it on disk.
func (j *Journal) firstWaiting(name bridge.Lane, records leftover) (uint64, error) {
	last := lane{name: name}
	value, err := j.get(laneKey(nil, name))
	if err == nil {
		err = last.readState(value, j.clock, j.opts.Limits)
	}
	if err != nil && !errors.Is(err, pebble.ErrNotFound) { // a lane that was forgotten has nothing that waits
		return 0, err
	}
	first, lowest := last.state.Sequence+1, slices.Min(slices.Collect(maps.Keys(records)))
	for first > lowest {
		if waits, err := j.waits(name, first-1, records); err != nil || !waits {
			return first, err
		}
		first--
	}
	return first, nil
}

// waits reports whether the event is in the outbox, in a parcel or under its lane.
func (j *Journal) waits(name bridge.Lane, sequence uint64, records leftover) (bool, error) {
	if records[sequence] != nil {
		return true, nil
	}
	_, err := j.get(outboxKey(nil, name, sequence))
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
