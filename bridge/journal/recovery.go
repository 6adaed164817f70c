package journal

import (
	"bytes"
	"errors"
	"maps"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
)

// recoveredLane is what the event batches of the last run have of one lane: records by sequence.
type recoveredLane map[uint64][]byte

// recoverBatches moves what waits in the event batches that the last run has left into table o. An event that the
// broker has already may come out once more, as after any crash. Where nothing may be written they are counted alone.
func (j *Journal) recoverBatches() error {
	batch := j.db.NewBatch()
	lanes, err := j.readEventBatches(batch)
	if err != nil {
		return err
	}
	for lane, records := range lanes {
		if err := j.recoverLane(batch, lane, records); err != nil {
			return err
		}
	}
	if batch.Empty() || j.mode == ReadOnly {
		return batch.Close()
	}
	if err := batch.Set([]byte{tableMeta}, j.meta.append(nil), nil); err != nil {
		return err
	}
	return batch.Commit(pebble.Sync)
}

// readEventBatches returns what all event batches have, lane by lane; the batch removes them.
func (j *Journal) readEventBatches(batch *pebble.Batch) (map[bridge.Lane]recoveredLane, error) {
	lanes := make(map[bridge.Lane]recoveredLane)
	return lanes, each(j.db, tableEventBatch, func(key, value []byte) error {
		err := eachRecord(bytes.Clone(value), func(_ int, value []byte) error {
			_, e, err := readPending(value, nil)
			if err != nil {
				return err
			}
			if lanes[e.Lane] == nil {
				lanes[e.Lane] = make(recoveredLane)
			}
			lanes[e.Lane][e.Sequence] = value
			return nil
		})
		return errors.Join(err, batch.SingleDelete(key, nil))
	})
}

// recoverLane moves what waits of one lane.
func (j *Journal) recoverLane(batch *pebble.Batch, lane bridge.Lane, records recoveredLane) error {
	first, err := j.firstPending(lane, records)
	if err != nil {
		return err
	}
	for sequence, record := range records {
		switch {
		case sequence < first:
		case j.mode == ReadOnly:
			j.batches.usage.add(len(record))
		default:
			err = errors.Join(err, writeRow(batch, &j.meta, record))
		}
	}
	return err
}

// firstPending returns the first sequence of the lane that is not done with. An event batch stays whole until its last
// event may go, so it may still have some of a lane that has gone on since. Those lie before a sequence that is on disk
// no more: events are removed in the order of their lane, none before the broker has it on disk.
func (j *Journal) firstPending(name bridge.Lane, records recoveredLane) (uint64, error) {
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
		if pending, err := j.isPending(name, first-1, records); err != nil || !pending {
			return first, err
		}
		first--
	}
	return first, nil
}

// isPending reports whether the event is in the outbox, in an event batch or under its lane.
func (j *Journal) isPending(name bridge.Lane, sequence uint64, records recoveredLane) (bool, error) {
	if records[sequence] != nil {
		return true, nil
	}
	_, err := j.get(outboxKey(nil, name, sequence))
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
