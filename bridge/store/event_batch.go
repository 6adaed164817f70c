package store

import (
	"errors"
	"fmt"
	"time"

	"livebridge/bridge/outbox"
	"livebridge/bridge/processor"
	"livebridge/bridge/record"
)

const (
	// BatchAge is how long an event batch is left whole. Most are empty by then: their events are at the broker.
	BatchAge = 3 * time.Second
	// expandAtOnce is how many events of old event batches go with one commit, so that no callback waits long for them.
	expandAtOnce = 512
)

// eventBatch is what one commit has emitted, written as one value, which costs a fraction of a key for each event.
// While it is whole its events are in memory, all of them. It goes from the disk when the last of them is done with;
// one that grows old, because the broker is away or a lane is stuck, is expanded into table o.
type eventBatch struct {
	number    uint64 // of the commit
	born      processor.Moment
	removed   []bool // by position: the broker has it on disk
	remaining int    // events that are not gone
}

// eventBatches is the writer's memory of table p.
type eventBatches struct {
	intact map[uint64]*eventBatch // by number
	order  []uint64               // their numbers, oldest first; some may be empty or expanded by now
	usage  processor.Usage        // of their events
}

// add notes an event batch that is written.
func (b *eventBatches) add(p *eventBatch) {
	if b.intact == nil {
		b.intact = make(map[uint64]*eventBatch)
	}
	b.intact[p.number] = p
	b.order = append(b.order, p.number)
}

// writeEmissions writes what is emitted: as one event batch while the broker keeps up, else each event under its lane,
// where a reader finds it.
func (b *Batch) writeEmissions(together bool, now processor.Moment) error {
	if len(b.emitted) == 0 {
		return nil
	}
	if !together {
		return b.writeRows()
	}
	n := len(b.emitted)
	p := &eventBatch{number: b.s.meta.commit + 1, born: now, removed: make([]bool, n), remaining: n}
	for i := range b.emitted {
		e := &b.emitted[i]
		e.Batch, e.Position = p.number, i
		b.s.batches.usage.Add(e.Bytes)
	}
	b.s.batches.add(p)
	return b.batch.Set(numberKey(nil, tableEventBatch, p.number), b.records, nil)
}

// writeRows writes each event under its lane.
func (b *Batch) writeRows() error {
	var key [128]byte
	return eachRecord(b.records, func(i int, row []byte) error {
		p := b.emitted[i]
		b.s.meta.outbox.Add(p.Bytes)
		return b.batch.Set(outboxKey(key[:0], p.Event.Lane, p.Event.Sequence), row, nil)
	})
}

// eachRecord calls f for every record of an event batch's value.
func eachRecord(value []byte, f func(i int, row []byte) error) error {
	r := record.NewReader(value, nil)
	for i := 0; r.More(); i++ {
		row := r.Bytes()
		if r.Err() != nil {
			return fmt.Errorf("event batch of the outbox: %w", r.Err())
		}
		if err := f(i, row); err != nil {
			return err
		}
	}
	return nil
}

// removeFromBatch notes that the broker has an event of an intact event batch, and removes the event batch with its
// last one.
func (b *Batch) removeFromBatch(p *eventBatch, e outbox.Removal) error {
	p.removed[e.Position] = true
	p.remaining--
	b.s.batches.usage.Remove(e.Bytes)
	if p.remaining > 0 {
		return nil
	}
	delete(b.s.batches.intact, p.number)
	return b.batch.SingleDelete(numberKey(nil, tableEventBatch, p.number), nil)
}

// ExpandOld moves what is left of old event batches under its lanes, some at a time.
func (b *Batch) ExpandOld(now processor.Moment) error {
	all := &b.s.batches
	for moved := 0; len(all.order) > 0 && moved < expandAtOnce; all.order = all.order[1:] {
		p := all.intact[all.order[0]]
		if p == nil {
			continue
		}
		if time.Duration(now.At-p.born.At) < BatchAge {
			return nil
		}
		moved += p.remaining
		if err := b.expand(p); err != nil {
			return err
		}
	}
	return nil
}

// ExpandAll moves all that is in event batches under its lanes, where it can be read lane by lane.
func (b *Batch) ExpandAll() error {
	for _, number := range b.s.batches.order {
		if err := b.Expand(number); err != nil {
			return err
		}
	}
	return nil
}

// Expand moves what is left of an event batch under its lanes, unless that was done before.
func (b *Batch) Expand(number uint64) error {
	if p := b.s.batches.intact[number]; p != nil {
		return b.expand(p)
	}
	return nil
}

func (b *Batch) expand(p *eventBatch) error {
	key := numberKey(nil, tableEventBatch, p.number)
	value, err := b.s.get(key)
	if err != nil {
		return fmt.Errorf("event batch %d of the outbox: %w", p.number, err)
	}
	delete(b.s.batches.intact, p.number)
	b.expanded = append(b.expanded, p.number)
	err = eachRecord(value, func(i int, row []byte) error {
		if p.removed[i] {
			return nil
		}
		b.s.batches.usage.Remove(len(row))
		return b.writeRow(row)
	})
	return errors.Join(err, b.batch.SingleDelete(key, nil))
}

// writeRow writes one event of an event batch under its lane.
func (b *Batch) writeRow(row []byte) error {
	_, e, err := readPending(row, nil)
	if err != nil {
		return err
	}
	b.s.meta.outbox.Add(len(row))
	return b.batch.Set(outboxKey(nil, e.Lane, e.Sequence), row, nil)
}

// expandPartial moves what is left of event batches that the broker has a part of, so that the next run does not
// publish that part again.
func (s *Store) expandPartial() error {
	b := s.NewBatch(nil)
	for _, p := range s.batches.intact {
		if p.remaining < len(p.removed) {
			if err := b.expand(p); err != nil {
				return err
			}
		}
	}
	if b.Empty() {
		return b.Close()
	}
	if err := b.seal(); err != nil {
		return err
	}
	return errors.Join(b.ApplySync(), b.Close())
}
