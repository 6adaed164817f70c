package journal

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
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
	bytes     uint64 // of those
	expanding bool   // its events are in table o, or on their way there; the writer's
	expanded  bool   // they are there for readers; under the outbox's lock
}

// eventBatches is the writer's memory of table p.
type eventBatches struct {
	intact []*eventBatch // oldest first; some may be empty or open by now
	usage  usage         // of the events in whole ones
}

// writeEmissions decides how a commit's emissions are written, and writes them: as one event batch while the broker
// keeps up, else each under its lane, where a reader finds it.
func (c *commit) writeEmissions() error {
	if len(c.emitted) == 0 {
		return nil
	}
	if !c.j.outbox.reserve(len(c.emitted)) {
		return c.writeRows()
	}
	n := len(c.emitted)
	p := &eventBatch{number: c.j.meta.commit + 1, born: c.clock.now, removed: make([]bool, n), remaining: n}
	for i := range c.emitted {
		e := &c.emitted[i]
		e.batch, e.position = p, i
		p.bytes += uint64(e.bytes)
		c.j.batches.usage.add(e.bytes)
	}
	c.j.batches.intact = append(c.j.batches.intact, p)
	return c.batch.Set(numberKey(nil, tableEventBatch, p.number), c.records, nil)
}

// writeRows writes each emission under its lane.
func (c *commit) writeRows() error {
	var key [128]byte
	return eachRecord(c.records, func(i int, record []byte) error {
		p := c.emitted[i]
		c.j.meta.outbox.add(p.bytes)
		return c.batch.Set(outboxKey(key[:0], p.event.Lane, p.event.Sequence), record, nil)
	})
}

// eachRecord calls f for every record of an event batch's value.
func eachRecord(value []byte, f func(i int, record []byte) error) error {
	r := reader{rest: value}
	for i := 0; len(r.rest) > 0; i++ {
		record := r.bytes()
		if r.err != nil {
			return fmt.Errorf("event batch of the outbox: %w", r.err)
		}
		if err := f(i, record); err != nil {
			return err
		}
	}
	return nil
}

// removeFromBatch notes that the broker has an event of an intact event batch, and removes the event batch with its
// last one.
func (c *commit) removeFromBatch(a acked) error {
	p := a.batch
	p.removed[a.position] = true
	p.remaining--
	p.bytes -= uint64(a.bytes)
	c.j.batches.usage.remove(a.bytes)
	if p.remaining > 0 {
		return nil
	}
	return c.batch.SingleDelete(numberKey(nil, tableEventBatch, p.number), nil)
}

// expandOld moves what is left of old event batches into table o.
func (c *commit) expandOld() error {
	ps := &c.j.batches
	for moved := 0; len(ps.intact) > 0 && moved < expandAtOnce; ps.intact = ps.intact[1:] {
		p := ps.intact[0]
		if p.remaining == 0 || p.expanding {
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
	for _, p := range c.j.batches.intact {
		if p.remaining == 0 || p.expanding {
			continue
		}
		if err := c.expand(p); err != nil {
			return err
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
	p.expanding = true
	c.expanded = append(c.expanded, p)
	err = eachRecord(value, func(i int, record []byte) error {
		if p.removed[i] {
			return nil
		}
		c.j.batches.usage.remove(len(record))
		return writeRow(c.batch, &c.j.meta, record)
	})
	return errors.Join(err, c.batch.SingleDelete(key, nil))
}

// writeRow writes one event of an event batch under its lane.
func writeRow(batch *pebble.Batch, m *meta, record []byte) error {
	_, e, err := readPending(record)
	if err != nil {
		return err
	}
	m.outbox.add(len(record))
	return batch.Set(outboxKey(nil, e.Lane, e.Sequence), record, nil)
}

// expandPartial moves what is left of event batches that the broker has a part of, so that the next run does not
// publish that part again. The writer has ended.
func (j *Journal) expandPartial() error {
	c := j.newCommit(nil)
	for _, p := range j.batches.intact {
		if !p.expanding && p.remaining > 0 && p.remaining < len(p.removed) {
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
