package store

import (
	"bytes"
	"errors"
	"maps"
	"slices"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// recoveredLane is what the event batches of the last run have of one lane: records by sequence.
type recoveredLane map[uint64][]byte

// recoverBatches moves what waits in the event batches that the last run has left under its lanes. An event that the
// broker has already may come out once more, as after any crash. Where nothing may be written they are counted alone.
func (s *Store) recoverBatches() error {
	b := s.NewBatch(nil)
	s.pendingFrom = make(map[bridge.Lane]uint64)
	lanes, err := b.readEventBatches()
	if err != nil {
		return err
	}
	for lane, records := range lanes {
		if err := b.recoverLane(lane, records); err != nil {
			return err
		}
	}
	if b.Empty() || s.opts.Access == ReadOnly {
		return b.Close()
	}
	if err := b.batch.Set([]byte{tableMeta}, s.meta.append(nil), nil); err != nil {
		return err
	}
	return errors.Join(b.ApplySync(), b.Close())
}

// readEventBatches returns what all event batches have, lane by lane; the batch removes them.
func (b *Batch) readEventBatches() (map[bridge.Lane]recoveredLane, error) {
	lanes := make(map[bridge.Lane]recoveredLane)
	return lanes, b.s.each(tableEventBatch, func(key, value []byte) error {
		err := eachRecord(bytes.Clone(value), func(_ int, row []byte) error {
			_, e, err := readPending(row, nil)
			if err != nil {
				return err
			}
			if lanes[e.Lane] == nil {
				lanes[e.Lane] = make(recoveredLane)
			}
			lanes[e.Lane][e.Sequence] = row
			return nil
		})
		return errors.Join(err, b.batch.SingleDelete(key, nil))
	})
}

// recoverLane moves what waits of one lane.
func (b *Batch) recoverLane(lane bridge.Lane, records recoveredLane) error {
	first, err := b.s.firstPending(lane, records)
	if err != nil {
		return err
	}
	if b.s.opts.Access == ReadOnly {
		b.s.pendingFrom[lane] = first
	}
	for sequence, row := range records {
		switch {
		case sequence < first:
		case b.s.opts.Access == ReadOnly:
			b.s.batches.usage.Add(len(row))
		default:
			err = errors.Join(err, b.writeRow(row))
		}
	}
	return err
}

// firstPending returns the first sequence of the lane that is not done with. An event batch stays whole until its last
// event may go, so it may still have some of a lane that has gone on since. Those lie before a sequence that is on disk
// no more: events are removed in the order of their lane, none before the broker has it on disk.
func (s *Store) firstPending(name bridge.Lane, records recoveredLane) (uint64, error) {
	last, _, err := s.Lane(name, processor.Moment{}) // a lane that was forgotten has nothing that waits
	if err != nil {
		return 0, err
	}
	first, lowest := last.State.Sequence+1, slices.Min(slices.Collect(maps.Keys(records)))
	for first > lowest {
		if pending, err := s.isPending(name, first-1, records); err != nil || !pending {
			return first, err
		}
		first--
	}
	return first, nil
}

// isPending reports whether the event is in the outbox, in an event batch or under its lane.
func (s *Store) isPending(name bridge.Lane, sequence uint64, records recoveredLane) (bool, error) {
	if records[sequence] != nil {
		return true, nil
	}
	return s.Has(name, sequence)
}
