package journal

// settleOutbox removes from the outbox what the broker has on disk and what it will never take.
func (c *commit) settleOutbox() error {
	removals, rejections := c.j.outbox.takeWrites()
	if err := c.remove(removals); err != nil {
		return err
	}
	for _, b := range rejections {
		if c.j.meta.dead.entries >= uint64(c.j.opts.DeadLettersMax) {
			c.j.outbox.deadLettersFull(b)
			continue
		}
		if err := c.deadLetter(b); err != nil {
			return err
		}
	}
	return nil
}

// deadLetter makes an event of the outbox a dead letter.
func (c *commit) deadLetter(b rejection) error {
	if b.batch != nil && !b.batch.expanding {
		if err := c.expand(b.batch); err != nil {
			return err
		}
	}
	value := appendEvent(appendText(appendText(nil, b.reason), b.detail), b.event)
	number := c.j.meta.next
	c.j.meta.next++
	c.j.meta.dead.add(len(value))
	b.number = number
	c.deadLettered = append(c.deadLettered, b)
	return c.batch.Set(numberKey(nil, tableDeadLetter, number), value, nil)
}

// rangeLeast is how many events that follow one another in their lane are deleted as a range. A range is one entry
// however long, but costs every reader a little.
const rangeLeast = 8

// run is events of one lane that go together: first up to last.
type run struct {
	queue       *laneQueue
	first, last uint64
}

// remove deletes events from the outbox; those of a lane come in their order.
func (c *commit) remove(events []acked) error {
	var runs []run
	at := make(map[*laneQueue]int)
	for _, a := range events {
		if a.batch != nil && !a.batch.expanding {
			if err := c.removeFromBatch(a); err != nil {
				return err
			}
			continue
		}
		c.free(&c.j.meta.outbox, a.bytes)
		if i, found := at[a.queue]; found && runs[i].last+1 == a.sequence {
			runs[i].last++
			continue
		}
		at[a.queue] = len(runs)
		runs = append(runs, run{a.queue, a.sequence, a.sequence})
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
		return c.batch.DeleteRange(outboxKey(from[:0], r.queue.lane, r.first), outboxKey(to[:0], r.queue.lane, r.last+1), nil)
	}
	for sequence := r.first; sequence <= r.last; sequence++ {
		if err := c.batch.SingleDelete(outboxKey(from[:0], r.queue.lane, sequence), nil); err != nil {
			return err
		}
	}
	return nil
}
