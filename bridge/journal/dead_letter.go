package journal

import (
	"livebridge/bridge"
	"livebridge/bridge/outbox"
	"livebridge/bridge/record"
)

// settleOutbox removes from the outbox what the broker has on disk and what it will never take.
func (c *commit) settleOutbox() error {
	removals, rejections := c.j.outbox.TakeWrites()
	if err := c.remove(removals); err != nil {
		return err
	}
	for _, b := range rejections {
		if c.j.meta.dead.entries >= uint64(c.j.opts.DeadLettersMax) {
			c.j.outbox.DeadLettersFull(b)
			continue
		}
		if err := c.deadLetter(b); err != nil {
			return err
		}
	}
	return nil
}

// deadLetter makes an event of the outbox a dead letter.
func (c *commit) deadLetter(b outbox.Rejection) error {
	if p := c.j.batches.intact[b.Batch]; p != nil {
		if err := c.expand(p); err != nil {
			return err
		}
	}
	value := record.AppendEvent(record.AppendText(record.AppendText(nil, b.Reason), b.Detail), b.Event)
	number := c.j.meta.next
	c.j.meta.next++
	c.j.meta.dead.add(len(value))
	b.Number = number
	c.deadLettered = append(c.deadLettered, b)
	return c.batch.Set(numberKey(nil, tableDeadLetter, number), value, nil)
}

// rangeLeast is how many events that follow one another in their lane are deleted as a range. A range is one entry
// however long, but costs every reader a little.
const rangeLeast = 8

// run is events of one lane that go together: first up to last.
type run struct {
	lane        bridge.Lane
	first, last uint64
}

// remove deletes events from the outbox; those of a lane come in their order.
func (c *commit) remove(events []outbox.Removal) error {
	var runs []run
	at := make(map[bridge.Lane]int)
	for _, a := range events {
		if p := c.j.batches.intact[a.Batch]; p != nil {
			if err := c.removeFromBatch(p, a); err != nil {
				return err
			}
			continue
		}
		c.free(&c.j.meta.outbox, a.Bytes)
		if i, found := at[a.Lane]; found && runs[i].last+1 == a.Sequence {
			runs[i].last++
			continue
		}
		at[a.Lane] = len(runs)
		runs = append(runs, run{a.Lane, a.Sequence, a.Sequence})
	}
	for _, r := range runs {
		if err := c.delete(r); err != nil {
			return err
		}
	}
	c.removed = append(c.removed, events...)
	return nil
}

// delete deletes events of table o. Every key there is set once and deleted once, alone or with its neighbours.
func (c *commit) delete(r run) error {
	var from, to [128]byte
	if r.last-r.first+1 >= rangeLeast {
		return c.batch.DeleteRange(outboxKey(from[:0], r.lane, r.first), outboxKey(to[:0], r.lane, r.last+1), nil)
	}
	for sequence := r.first; sequence <= r.last; sequence++ {
		if err := c.batch.SingleDelete(outboxKey(from[:0], r.lane, sequence), nil); err != nil {
			return err
		}
	}
	return nil
}
