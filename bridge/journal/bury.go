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
	c.buried = append(c.buried, b)
	return c.batch.Set(numberKey(nil, tableDead, number), value, nil)
}

// remove deletes events from the outbox. Every key there is set once and deleted once.
func (c *commit) remove(events []acked) error {
	var key [128]byte
	for _, a := range events {
		var err error
		if a.parcel != nil && !a.parcel.open {
			err = c.take(a)
		} else {
			c.j.meta.outbox.remove(a.bytes)
			err = c.batch.SingleDelete(outboxKey(key[:0], a.lane, a.sequence), nil)
		}
		if err != nil {
			return err
		}
	}
	c.removed = append(c.removed, events...)
	return nil
}
