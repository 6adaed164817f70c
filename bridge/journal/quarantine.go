package journal

import (
	"errors"

	"livebridge/bridge"
	"livebridge/bridge/record"
	"livebridge/bridge/sequencer"
)

// quarantine keeps a callback that was signed well and is not believed, within the limits.
func (c *commit) quarantine(e *bridge.Event, a *bridge.Arrival, reason bridge.Reason) error {
	q, what := c.j.quarantine, quarantineID{id: e.ID, reason: reason}
	switch q.admit(what, a.Signature.Sum) {
	case alreadyKept:
		c.j.metrics.duplicates.Inc()
		return nil
	case overShare:
		c.j.metrics.quarantineDropped.Inc()
		return nil
	}
	e.Reason = reason
	c.j.metrics.quarantined(reason)
	c.quarantined = append(c.quarantined, quarantinedFields(c.j.meta.next, e, a))
	if err := c.keep(e, a, what); err != nil || !c.j.opts.PublishQuarantine {
		return err
	}
	return c.notify(quarantineNotice(e))
}

// keep writes the quarantine entry and takes out what is too much.
func (c *commit) keep(e *bridge.Event, a *bridge.Arrival, what quarantineID) error {
	value := append(record.AppendText(nil, a.Raw), record.AppendEvent(nil, e)...)
	entry := quarantineRecord{
		number: c.j.meta.next, received: e.Recorded, what: what, sum: a.Signature.Sum, bytes: len(value),
	}
	c.j.meta.next++
	c.j.meta.quarantine.add(len(value))
	c.j.quarantine.put(entry)
	err := errors.Join(
		c.batch.Set(numberKey(nil, tableQuarantineIndex, entry.number), entry.append(nil), nil),
		c.batch.Set(numberKey(nil, tableQuarantine, entry.number), value, nil))
	for old, out := c.j.quarantine.evict(); out && err == nil; old, out = c.j.quarantine.evict() {
		c.j.metrics.quarantineDropped.Inc()
		err = c.drop(old)
	}
	return err
}

// drop deletes an entry that has left the index.
func (c *commit) drop(e quarantineRecord) error {
	c.free(&c.j.meta.quarantine, e.bytes)
	return errors.Join(
		c.batch.Delete(numberKey(nil, tableQuarantineIndex, e.number), nil),
		c.batch.Delete(numberKey(nil, tableQuarantine, e.number), nil))
}

// dropOld drops, some at a time, what has been in quarantine for longer than its entries are kept.
func (c *commit) dropOld(now bridge.Millis) error {
	if c.j.opts.QuarantineMaxAge <= 0 {
		return nil
	}
	before := now - bridge.Millis(c.j.opts.QuarantineMaxAge.Milliseconds())
	for range sweepQuarantine {
		old, found := c.j.quarantine.expire(before)
		if !found {
			return nil
		}
		c.j.metrics.quarantineDropped.Inc()
		if err := c.drop(old); err != nil {
			return err
		}
	}
	return nil
}

// notify emits the notice of a quarantined callback on the lane of its kind.
func (c *commit) notify(notice *bridge.Event) error {
	l, err := c.lane(notice.Lane)
	if err != nil {
		return err
	}
	l.touched = notice.Recorded
	in := sequencer.Input{Action: sequencer.Arrive, At: c.clock.instant(), Wall: notice.Recorded, ID: notice.ID}
	_, err = c.apply(l, in, notice)
	return err
}
