package store

import (
	"livebridge/bridge"
	"livebridge/bridge/outbox"
)

// rangeLeast is how many events that follow one another in their lane are deleted as a range. A range is one entry
// however long, but costs every reader a little.
const rangeLeast = 8

// run is events of one lane that go together: first up to last.
type run struct {
	lane        bridge.Lane
	first, last uint64
}

// Remove deletes events of the outbox that the broker has on disk, and writes those that are kept to the history; those
// of a lane come in their order.
func (b *Batch) Remove(events []outbox.Removal) error {
	if err := b.keepAll(events); err != nil {
		return err
	}
	var runs []run
	at := make(map[bridge.Lane]int)
	for _, e := range events {
		if p := b.s.batches.intact[e.Batch]; p != nil {
			if err := b.removeFromBatch(p, e); err != nil {
				return err
			}
			continue
		}
		b.s.meta.outbox.Remove(e.Bytes)
		b.s.freed += uint64(e.Bytes)
		if i, found := at[e.Lane]; found && runs[i].last+1 == e.Sequence {
			runs[i].last++
			continue
		}
		at[e.Lane] = len(runs)
		runs = append(runs, run{e.Lane, e.Sequence, e.Sequence})
	}
	for _, r := range runs {
		if err := b.delete(r); err != nil {
			return err
		}
	}
	b.removed = append(b.removed, events...)
	return nil
}

// delete deletes events of table o. Every key there is set once and deleted once, alone or with its neighbours.
func (b *Batch) delete(r run) error {
	var from, to [128]byte
	if r.last-r.first+1 >= rangeLeast {
		return b.batch.DeleteRange(outboxKey(from[:0], r.lane, r.first), outboxKey(to[:0], r.lane, r.last+1), nil)
	}
	for sequence := r.first; sequence <= r.last; sequence++ {
		if err := b.batch.SingleDelete(outboxKey(from[:0], r.lane, sequence), nil); err != nil {
			return err
		}
	}
	return nil
}
