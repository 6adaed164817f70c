package journal

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
)

// commit is one batch in the making: everything that goes to disk together with one sync, and what may be told to the
// outside once that sync is through.
type commit struct {
	j     *Journal
	batch *pebble.Batch
	clock clock

	number  uint64
	waiting []*request // to be answered nil
	emitted []pending  // to be handed to the outbox
	dirty   []*lane    // to be written

	// What the store does not show yet, since it is in this batch.
	ids   map[bridge.ID]struct{}
	oaths map[[16]byte]oath
	held  map[bridge.ID]*bridge.Event

	removed   []acked  // go from the outbox
	buried    []burial // are dead letters now
	scratch   []byte
	emissions []sequencer.Emission
}

// newCommit makes an empty commit, from the memory of one that is done where there is one.
func (j *Journal) newCommit(used *commit) *commit {
	if used == nil {
		used = &commit{ids: make(map[bridge.ID]struct{}), oaths: make(map[[16]byte]oath), held: make(map[bridge.ID]*bridge.Event)}
	}
	clear(used.ids)
	clear(used.oaths)
	clear(used.held)
	clear(used.emitted)
	return &commit{
		j: j, batch: j.db.NewBatch(), clock: j.clock.read(), ids: used.ids, oaths: used.oaths, held: used.held,
		waiting: used.waiting[:0], emitted: used.emitted[:0], dirty: used.dirty[:0],
		scratch: used.scratch, emissions: used.emissions,
	}
}

// empty reports whether there is nothing to write.
func (c *commit) empty() bool { return c.batch.Empty() && len(c.dirty) == 0 }

// needsSync reports whether something must be on disk before it may be told to the outside.
func (c *commit) needsSync() bool { return len(c.waiting)+len(c.emitted)+len(c.buried) > 0 }

// full reports whether the batch is large enough that more should wait for the next.
func (c *commit) full() bool { return len(c.waiting) >= 4096 || c.batch.Len() > 4<<20 }

// add decides one callback.
func (c *commit) add(r *request) error {
	c.waiting = append(c.waiting, r)
	a := r.arrival
	e := a.Event // a copy: what is kept must not point into the request
	e.Recorded = c.clock.millis()
	if a.Identify != nil {
		e.ID = a.Identify(e.Recorded)
	}
	if a.Reason != "" {
		return c.quarantine(&e, a, a.Reason)
	}
	switch verdict, err := c.recognise(&e, a); {
	case err != nil:
		return err
	case verdict == repeat:
		c.j.metrics.duplicates.Inc()
		return nil
	case verdict == abuse:
		return c.quarantine(&e, a, bridge.ReasonTampered)
	}
	if err := c.remember(&e, a); err != nil {
		return err
	}
	return c.enter(&e)
}

// recognition is what the memory of identities and signatures says of a callback.
type recognition int

const (
	unseen recognition = iota
	repeat             // the same happening
	abuse              // another happening under a signature that was seen before
)

// recognise applies rule 1 and rows 22 and 22b.
func (c *commit) recognise(e *bridge.Event, a *bridge.Arrival) (recognition, error) {
	if known, err := c.knows(e.ID); known || err != nil {
		return repeat, err
	}
	if a.Signature.Sum == [16]byte{} {
		return unseen, nil
	}
	o, found := c.oaths[a.Signature.Sum]
	if !found {
		var err error
		if o, found, err = c.j.signatures.get(a.Signature); err != nil {
			return unseen, err
		}
	}
	if found && o.tampered(a.Signature, e.ID, c.j.opts.SignatureReuse) {
		return abuse, nil
	}
	return unseen, nil
}

func (c *commit) knows(id bridge.ID) (bool, error) {
	if _, found := c.ids[id]; found {
		return true, nil
	}
	return c.j.seen.has(id)
}

// remember notes identity and signature of a callback that enters its lane. The first one under a signature stands for it.
func (c *commit) remember(e *bridge.Event, a *bridge.Arrival) error {
	c.ids[e.ID] = struct{}{}
	if err := c.j.seen.add(c.batch, e.ID, e.Recorded); err != nil {
		return err
	}
	if a.Signature.Sum == [16]byte{} {
		return nil
	}
	if _, found := c.oaths[a.Signature.Sum]; found {
		return nil
	}
	o := oath{signed: a.Signature.Signed, id: e.ID}
	c.oaths[a.Signature.Sum] = o
	return c.j.signatures.add(c.batch, a.Signature, o)
}

// enter lets the event's lane decide it.
func (c *commit) enter(e *bridge.Event) error {
	l, err := c.lane(e.Lane)
	if err != nil {
		return err
	}
	l.touched = e.Recorded
	t, err := c.apply(l, arrivalOf(e, c.clock), e)
	if err != nil {
		return err
	}
	if t.Holds {
		return c.hold(e)
	}
	return nil
}

func arrivalOf(e *bridge.Event, now clock) sequencer.Input {
	return sequencer.Input{
		Action: sequencer.Arrive, At: now.instant(), Wall: now.millis(), ID: e.ID, Kind: e.Lane.Kind,
		Key:     sequencer.Key{Session: e.Session, Phase: e.Phase},
		Unknown: e.Unknown(),
	}
}

// apply makes one transition of a lane part of the commit; arriving is the event of the input, nil when it has none.
func (c *commit) apply(l *lane, in sequencer.Input, arriving *bridge.Event) (sequencer.Transition, error) {
	before := len(l.state.Held)
	t := sequencer.ApplyInto(c.emissions, l.state, in, c.j.opts.Limits)
	c.emissions = t.Emit
	l.state = t.State
	c.j.holds.update(l, before)
	c.touch(l)
	for _, emission := range t.Emit {
		e, err := c.release(l, emission, arriving)
		if err != nil {
			return t, err
		}
		e.Sequence, e.Marks = emission.Sequence, emission.Marks
		if err := c.emit(e); err != nil {
			return t, err
		}
	}
	return t, nil
}

// release returns the event of an emission and, where it was held, takes it out of table h.
func (c *commit) release(l *lane, emission sequencer.Emission, arriving *bridge.Event) (*bridge.Event, error) {
	if !emission.Held {
		return arriving, nil
	}
	key := heldKey(c.scratch[:0], l.name, emission.Key)
	c.scratch = key
	e, found := c.held[emission.ID]
	if !found {
		value, err := c.j.get(key)
		if err != nil {
			return nil, fmt.Errorf("held event of lane %s: %w", l.name, err)
		}
		if e, err = readEvent(value); err != nil {
			return nil, err
		}
	}
	c.j.meta.held.remove(len(appendEvent(nil, e)))
	delete(c.held, emission.ID)
	return e, c.batch.Delete(key, nil)
}

// hold writes an event that waits.
func (c *commit) hold(e *bridge.Event) error {
	c.held[e.ID] = e
	value := appendEvent(nil, e)
	c.j.meta.held.add(len(value))
	c.j.metrics.holds.Inc()
	return c.batch.Set(heldKey(nil, e.Lane, sequencer.Key{Session: e.Session, Phase: e.Phase}), value, nil)
}

// emit writes an event to the outbox.
func (c *commit) emit(e *bridge.Event) error {
	c.scratch = appendPending(c.scratch[:0], c.j.meta.commit+1, e)
	c.j.meta.outbox.add(len(c.scratch))
	c.emitted = append(c.emitted, pending{event: e, bytes: len(c.scratch)})
	c.j.metrics.mark(e.Marks)
	var key [128]byte
	return c.batch.Set(outboxKey(key[:0], e.Lane, e.Sequence), c.scratch, nil)
}

// expire lets every deadline that has passed take effect, nearest first, each at its own instant.
func (c *commit) expire() error {
	for {
		l, deadline := c.j.holds.nearest()
		if l == nil || deadline > c.clock.instant() {
			return nil
		}
		in := sequencer.Input{Action: sequencer.Expire, At: deadline, Wall: c.clock.millis(), Kind: l.name.Kind}
		if _, err := c.apply(l, in, nil); err != nil {
			return err
		}
	}
}

// squeeze emits the smallest event of the lane with the nearest deadline while too much is held in all.
func (c *commit) squeeze() error {
	for c.j.holds.held > c.j.opts.HeldMax {
		l, _ := c.j.holds.nearest()
		in := sequencer.Input{Action: sequencer.Squeeze, At: c.clock.instant(), Wall: c.clock.millis(), Kind: l.name.Kind}
		if _, err := c.apply(l, in, nil); err != nil {
			return err
		}
	}
	return nil
}

// quarantine keeps a callback that was signed well and is not believed, within the limits.
func (c *commit) quarantine(e *bridge.Event, a *bridge.Arrival, reason bridge.Reason) error {
	q, what := c.j.quarantined, quarantineID{id: e.ID, reason: reason}
	switch q.ask(what, a.Signature.Sum) {
	case repeated:
		c.j.metrics.duplicates.Inc()
		return nil
	case excess:
		c.j.metrics.quarantineDropped.Inc()
		return nil
	}
	e.Reason = reason
	c.j.metrics.quarantined(reason)
	if err := c.keep(e, a, what); err != nil || !c.j.opts.PublishQuarantine {
		return err
	}
	return c.notify(quarantineNotice(e))
}

// keep writes the quarantine entry and takes out what is too much.
func (c *commit) keep(e *bridge.Event, a *bridge.Arrival, what quarantineID) error {
	value := append(appendText(nil, a.Raw), appendEvent(nil, e)...)
	entry := quarantined{number: c.j.meta.next, what: what, sum: a.Signature.Sum, bytes: len(value)}
	c.j.meta.next++
	c.j.meta.quarant.add(len(value))
	c.j.quarantined.put(entry)
	err := errors.Join(
		c.batch.Set(numberKey(nil, tableQuarantine, entry.number), entry.append(nil), nil),
		c.batch.Set(numberKey(nil, tableQuarantined, entry.number), value, nil))
	for old, out := c.j.quarantined.evict(); out && err == nil; old, out = c.j.quarantined.evict() {
		c.j.metrics.quarantineDropped.Inc()
		c.j.meta.quarant.remove(old.bytes)
		err = errors.Join(
			c.batch.Delete(numberKey(nil, tableQuarantine, old.number), nil),
			c.batch.Delete(numberKey(nil, tableQuarantined, old.number), nil))
	}
	return err
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

// lane returns a lane's state, whether it is in memory, on disk or new.
func (c *commit) lane(name bridge.Lane) (*lane, error) { return c.j.lanes.get(name, c.clock) }

// touch notes that the lane must be written with this commit.
func (c *commit) touch(l *lane) {
	if !l.dirty {
		l.dirty = true
		c.dirty = append(c.dirty, l)
	}
}

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
		c.j.meta.outbox.remove(a.bytes)
		if err := c.batch.SingleDelete(outboxKey(key[:0], a.lane, a.sequence), nil); err != nil {
			return err
		}
	}
	c.removed = append(c.removed, events...)
	return nil
}

// seal writes what the commit has gathered in memory: the lanes that changed, and the meta value.
func (c *commit) seal() error {
	for _, l := range c.dirty {
		c.scratch = l.appendState(c.scratch[:0], c.clock)
		if err := c.batch.Set(laneKey(nil, l.name), c.scratch, nil); err != nil {
			return err
		}
		l.dirty = false
	}
	c.j.meta.commit++
	c.number = c.j.meta.commit
	c.scratch = c.j.meta.append(c.scratch[:0])
	return c.batch.Set([]byte{tableMeta}, c.scratch, nil)
}
