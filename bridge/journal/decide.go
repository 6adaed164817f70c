package journal

import (
	"fmt"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
	"livebridge/bridge/record"
	"livebridge/bridge/sequencer"
)

// add decides one callback, or carries out a command.
func (c *commit) add(r *request) (err error) {
	c.waiting = append(c.waiting, r)
	if r.command == nil {
		return c.decide(r.arrival)
	}
	r.result, err = c.execute(r.command)
	return err
}

// decide applies the decision table to one callback.
func (c *commit) decide(a *bridge.Arrival) error {
	e := a.Event // a copy: what is kept must not point into the request
	e.Recorded = c.clock.millis()
	if a.Identity != nil {
		e.ID = a.Identity.ID(e.Lane.Kind, e.Recorded)
	}
	if a.Reason != "" {
		c.logDecision(&e, decisionQuarantined, a.Reason)
		return c.quarantine(&e, a, a.Reason)
	}
	switch verdict, err := c.classify(&e, a); {
	case err != nil:
		return err
	case verdict == duplicate:
		c.j.metrics.duplicates.Inc()
		c.logDecision(&e, decisionDuplicate, "")
		return nil
	case verdict == tampered:
		c.logDecision(&e, decisionQuarantined, bridge.ReasonTampered)
		return c.quarantine(&e, a, bridge.ReasonTampered)
	}
	if err := c.remember(&e, a); err != nil {
		return err
	}
	return c.arrive(&e)
}

// classification is what the memory of identities and signatures says of a callback.
type classification int

const (
	novel     classification = iota
	duplicate                // the same occurrence
	tampered                 // another occurrence under a signature that was seen before
)

// classify applies rule 1 and rows 22 and 22b.
func (c *commit) classify(e *bridge.Event, a *bridge.Arrival) (classification, error) {
	if known, err := c.knows(e.ID); known || err != nil {
		return duplicate, err
	}
	if a.Signature.Expires == 0 {
		return novel, nil
	}
	o, found := c.signatureUses[a.Signature.Sum]
	if !found {
		var err error
		if o, found, err = c.j.signatures.get(a.Signature); err != nil {
			return novel, err
		}
	}
	if found && o.tampered(a.Signature, e.ID, c.j.opts.SignatureReuse) {
		return tampered, nil
	}
	return novel, nil
}

func (c *commit) knows(id bridge.ID) (bool, error) {
	if _, found := c.ids[id]; found {
		return true, nil
	}
	return c.j.dedupe.has(id)
}

// remember notes identity and signature of a callback that enters its lane. The first one under a signature stands for
// it.
func (c *commit) remember(e *bridge.Event, a *bridge.Arrival) error {
	c.ids[e.ID] = struct{}{}
	if err := c.j.dedupe.add(c.batch, e.ID, e.Recorded); err != nil {
		return err
	}
	if a.Signature.Expires == 0 {
		return nil
	}
	if _, found := c.signatureUses[a.Signature.Sum]; found {
		return nil
	}
	o := signatureUse{signed: a.Signature.Signed, id: e.ID}
	c.signatureUses[a.Signature.Sum] = o
	return c.j.signatures.add(c.batch, a.Signature, o)
}

// arrive lets the event's lane decide it.
func (c *commit) arrive(e *bridge.Event) error {
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
		c.logDecision(e, decisionHeld, "")
		return c.hold(e)
	}
	c.logDecision(e, decisionEmitted, "")
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
		c.emit(e)
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
		if e, err = record.ReadEvent(value); err != nil {
			return nil, err
		}
	}
	c.j.meta.held.remove(len(record.AppendEvent(nil, e)))
	delete(c.held, emission.ID)
	return e, c.batch.Delete(key, nil)
}

// hold writes an event that waits.
func (c *commit) hold(e *bridge.Event) error {
	c.held[e.ID] = e
	value := record.AppendEvent(nil, e)
	c.j.meta.held.add(len(value))
	c.j.metrics.holds.Inc()
	return c.batch.Set(heldKey(nil, e.Lane, sequencer.Key{Session: e.Session, Phase: e.Phase}), value, nil)
}

// emit puts an event into the outbox; pack writes it.
func (c *commit) emit(e *bridge.Event) {
	c.scratch = appendPending(c.scratch[:0], c.j.meta.commit+1, e)
	c.records = record.AppendText(c.records, c.scratch)
	c.emitted = append(c.emitted, outbox.Pending{Event: e, Bytes: len(c.scratch)})
	c.j.metrics.mark(e.Marks)
	c.logEmitted(e)
}
