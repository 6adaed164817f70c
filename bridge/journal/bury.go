package journal

// settleOutbox removes from the outbox what the broker has on disk and what it will never take.
func (c *commit) settleOutbox() error {
	removals, burials := c.j.outbox.takeWriting()
	if err := c.remove(removals); err != nil {
		return err
	}
	for _, b := range burials {
		if c.j.meta.dead.entries >= uint64(c.j.opts.DeadLettersMax) {
			c.j.outbox.refused(b)
			continue
		}
		if err := c.bury(b); err != nil {
			return err
		}
	}
	return nil
}

// bury makes an event of the outbox a dead letter.
func (c *commit) bury(b burial) error {
	if b.parcel != nil && !b.parcel.open {
		if err := c.unpack(b.parcel); err != nil {
			return err
		}
	}
	value := appendEvent(appendText(nil, b.reason), b.event)
	number := c.j.meta.next
	c.j.meta.next++
	c.j.meta.dead.add(len(value))
	b.number = number
	c.buried = append(c.buried, b)
	return c.batch.Set(numberKey(nil, tableDead, number), value, nil)
}

// rangeLeast is how many events that follow one another in their lane are deleted as a range. A range is one entry however
// long, but costs every reader a little.
const rangeLeast = 8

// run is events of one lane that go together: first up to last.
type run struct {
	line        *line
	first, last uint64
}

// remove deletes events from the outbox; those of a lane come in their order.
func (c *commit) remove(events []acked) error {
	var runs []run
	at := make(map[*line]int)
	for _, a := range events {
		if a.parcel != nil && !a.parcel.open {
			if err := c.take(a); err != nil {
				return err
			}
			continue
		}
		c.free(&c.j.meta.outbox, a.bytes)
		if i, found := at[a.line]; found && runs[i].last+1 == a.sequence {
			runs[i].last++
			continue
		}
		at[a.line] = len(runs)
		runs = append(runs, run{a.line, a.sequence, a.sequence})
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
		return c.batch.DeleteRange(outboxKey(from[:0], r.line.lane, r.first), outboxKey(to[:0], r.line.lane, r.last+1), nil)
	}
	for sequence := r.first; sequence <= r.last; sequence++ {
		if err := c.batch.SingleDelete(outboxKey(from[:0], r.line.lane, sequence), nil); err != nil {
			return err
		}
	}
	return nil
}
