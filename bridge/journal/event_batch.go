package journal

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge/outbox"
	"livebridge/bridge/record"
)

const (
	// batchAge is how long an event batch is left whole. Most are empty by then: their events are at the broker.
	batchAge = 3 * time.Second
	// expandAtOnce is how many events of old event batches go with one commit, so that no callback waits long for them.
	expandAtOnce = 512
)

// eventBatch is what one commit has emitted, written as one value, which costs a fraction of a key for each event.
// While it is whole its events are in memory, all of them. It goes from the disk when the last of them is done with;
// one that grows old, because the broker is away or a lane is stuck, is expanded into table o.
type eventBatch struct {
	number    uint64 // of the commit
	born      time.Time
	removed   []bool // by position: the broker has it on disk
	remaining int    // events that are not gone
}

// eventBatches is the writer's memory of table p.
type eventBatches struct {
	intact map[uint64]*eventBatch // by number
	order  []uint64               // their numbers, oldest first; some may be empty or expanded by now
	usage  usage                  // of their events
}

// add notes an event batch that is written.
func (b *eventBatches) add(p *eventBatch) {
	if b.intact == nil {
		b.intact = make(map[uint64]*eventBatch)
	}
	b.intact[p.number] = p
	b.order = append(b.order, p.number)
}

// writeEmissions decides how a commit's emissions are written, and writes them: as one event batch while the broker
// keeps up, else each under its lane, where a reader finds it.
func (c *commit) writeEmissions() error {
	if len(c.emitted) == 0 {
		return nil
	}
	if !c.j.outbox.Reserve(len(c.emitted)) {
		return c.writeRows()
	}
	n := len(c.emitted)
	p := &eventBatch{number: c.j.meta.commit + 1, born: c.clock.now, removed: make([]bool, n), remaining: n}
	for i := range c.emitted {
		e := &c.emitted[i]
		e.Batch, e.Position = p.number, i
		c.j.batches.usage.add(e.Bytes)
	}
	c.j.batches.add(p)
	return c.batch.Set(numberKey(nil, tableEventBatch, p.number), c.records, nil)
}

// writeRows writes each emission under its lane.
func (c *commit) writeRows() error {
	var key [128]byte
	return eachRecord(c.records, func(i int, value []byte) error {
		p := c.emitted[i]
		c.j.meta.outbox.add(p.Bytes)
		return c.batch.Set(outboxKey(key[:0], p.Event.Lane, p.Event.Sequence), value, nil)
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
func (c *commit) removeFromBatch(p *eventBatch, e outbox.Removal) error {
	p.removed[e.Position] = true
	p.remaining--
	c.j.batches.usage.remove(e.Bytes)
	if p.remaining > 0 {
		return nil
	}
	delete(c.j.batches.intact, p.number)
	return c.batch.SingleDelete(numberKey(nil, tableEventBatch, p.number), nil)
}

// expandOld moves what is left of old event batches into table o.
func (c *commit) expandOld() error {
	ps := &c.j.batches
	for moved := 0; len(ps.order) > 0 && moved < expandAtOnce; ps.order = ps.order[1:] {
		p := ps.intact[ps.order[0]]
		if p == nil {
			continue
		}
		if c.clock.now.Sub(p.born) < batchAge {
			return nil
		}
		moved += p.remaining
		if err := c.expand(p); err != nil {
			return err
		}
	}
	return nil
}

// expandAll moves all that is in event batches into table o, where it can be read lane by lane.
func (c *commit) expandAll() error {
	for _, number := range c.j.batches.order {
		if p := c.j.batches.intact[number]; p != nil {
			if err := c.expand(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// expand moves what is left of an event batch into table o.
func (c *commit) expand(p *eventBatch) error {
	key := numberKey(nil, tableEventBatch, p.number)
	value, err := c.j.get(key)
	if err != nil {
		return fmt.Errorf("event batch %d of the outbox: %w", p.number, err)
	}
	delete(c.j.batches.intact, p.number)
	c.expanded = append(c.expanded, p.number)
	err = eachRecord(value, func(i int, row []byte) error {
		if p.removed[i] {
			return nil
		}
		c.j.batches.usage.remove(len(row))
		return writeRow(c.batch, &c.j.meta, row)
	})
	return errors.Join(err, c.batch.SingleDelete(key, nil))
}

// writeRow writes one event of an event batch under its lane.
func writeRow(batch *pebble.Batch, m *meta, row []byte) error {
	_, e, err := readPending(row, nil)
	if err != nil {
		return err
	}
	m.outbox.add(len(row))
	return batch.Set(outboxKey(nil, e.Lane, e.Sequence), row, nil)
}

// expandPartial moves what is left of event batches that the broker has a part of, so that the next run does not
// publish that part again. The writer has ended.
func (j *Journal) expandPartial() error {
	c := j.newCommit(nil)
	for _, p := range j.batches.intact {
		if p.remaining < len(p.removed) {
			if err := c.expand(p); err != nil {
				return err
			}
		}
	}
	if c.batch.Empty() {
		return c.batch.Close()
	}
	if err := c.seal(); err != nil {
		return err
	}
	return c.batch.Commit(pebble.Sync)
}
