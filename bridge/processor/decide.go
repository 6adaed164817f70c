package processor

import (
	"fmt"

	"livebridge/bridge"
	"livebridge/bridge/record"
	"livebridge/bridge/sequencer"
)

// decide decides one callback: it is quarantined, a duplicate, or for its lane to decide.
func (p *Processor) decide(a *bridge.Arrival, now Moment, eff *Effects) error {
	e := a.Event // a copy: what is kept must not point into the request
	e.Recorded = now.Millis()
	if a.Identity != nil {
		e.ID = a.Identity.ID(e.Lane.Kind, e.Recorded)
	}
	if a.Reason != "" {
		return p.quarantineArrival(&e, a, a.Reason, now, eff)
	}
	switch c, err := p.classify(&e, a, eff); {
	case err != nil:
		return err
	case c == duplicate:
		eff.Duplicates++
		eff.decide(&e, VerdictDuplicate, "")
		return nil
	case c == tampered:
		return p.quarantineArrival(&e, a, bridge.ReasonTampered, now, eff)
	}
	p.know(e.ID, e.Recorded, eff)
	if a.Signature.Expires != 0 {
		p.use(&a.Signature, SignatureUse{Signed: a.Signature.Signed, ID: e.ID}, eff)
	}
	return p.arrive(&e, now, eff)
}

// classification is what the memory of identities and signatures says of a callback.
type classification int

const (
	novel     classification = iota
	duplicate                // the same occurrence
	tampered                 // another occurrence under a signature that was seen before
)

// classify says what is known of a callback: rule 1 of package sequencer, and whether its signature was seen before.
func (p *Processor) classify(e *bridge.Event, a *bridge.Arrival, eff *Effects) (classification, error) {
	if known, err := p.knows(e.ID); known || err != nil {
		return duplicate, err
	}
	if obsolete, err := p.obsolete(e, eff); obsolete || err != nil {
		return duplicate, err
	}
	if a.Signature.Expires == 0 {
		return novel, nil
	}
	u, found, err := p.useOf(&a.Signature)
	if found && u.tampered(&a.Signature, e.ID, p.opts.SignatureReuse) {
		return tampered, err
	}
	return novel, err
}

// arrive lets the event's lane decide it.
func (p *Processor) arrive(e *bridge.Event, now Moment, eff *Effects) error {
	if err := p.correlate(e, now); err != nil {
		return err
	}
	l, err := p.lanes.get(e.Lane, now)
	if err != nil {
		return err
	}
	l.Touched = e.Recorded
	t, err := p.apply(l, arrivalOf(e, now), e, eff)
	if err != nil {
		return err
	}
	if t.Holds {
		p.hold(e, eff)
		return nil
	}
	verdict := VerdictEmitted
	if !p.opts.Types.Has(e.Type) {
		verdict = VerdictFiltered
	}
	eff.decide(e, verdict, "")
	return nil
}

func arrivalOf(e *bridge.Event, now Moment) sequencer.Input {
	return sequencer.Input{
		Action: sequencer.Arrive, At: now.At, Wall: now.Millis(), ID: e.ID, Kind: e.Lane.Kind,
		Key:     sequencer.Key{Session: e.Session, Phase: e.Phase},
		Unknown: e.Unknown(),
	}
}

// apply makes one transition of a lane; arriving is the event of the input, nil when it has none.
func (p *Processor) apply(
	l *lane, in sequencer.Input, arriving *bridge.Event, eff *Effects,
) (sequencer.Transition, error) {
	before, filtered := len(l.State.Held), uint64(0)
	t := sequencer.ApplyInto(p.emissions, l.State, in, p.opts.Limits)
	p.emissions = t.Emit
	l.State = t.State
	p.holds.update(l, before)
	for _, emission := range t.Emit {
		e, err := p.release(l, emission, arriving, eff)
		if err != nil {
			return t, err
		}
		p.emit(e, emission, &filtered, eff)
		if err := p.followSession(l, e); err != nil {
			return t, err
		}
	}
	l.State.Sequence -= filtered
	p.touch(l, eff)
	return t, p.emitDerived(eff)
}

// emit puts an event into the effects. What is filtered gets no sequence: those behind it in the transition move up,
// so that consumers see no gap.
func (p *Processor) emit(e *bridge.Event, emission sequencer.Emission, filtered *uint64, eff *Effects) {
	e.Marks = emission.Marks
	if !p.opts.Types.Has(e.Type) {
		*filtered++
		eff.Filtered = append(eff.Filtered, e)
		return
	}
	e.Sequence = emission.Sequence - *filtered
	eff.emit(e)
}

// touch puts the lane into the effects as it is now.
func (p *Processor) touch(l *lane, eff *Effects) {
	if l.changed == unchanged {
		l.changed = len(eff.Lanes)
		eff.Lanes = append(eff.Lanes, l.LaneState)
		p.pending.lanes = append(p.pending.lanes, l)
		return
	}
	eff.Lanes[l.changed] = l.LaneState
}

// release returns the event of an emission and, where it was held, has it held no more.
func (p *Processor) release(
	l *lane, emission sequencer.Emission, arriving *bridge.Event, eff *Effects,
) (*bridge.Event, error) {
	if !emission.Held {
		return arriving, nil
	}
	e, found := p.pending.held[emission.ID]
	if !found {
		ref := EntryRef{Place: PlaceHeld, Lane: l.Name, Session: emission.Key.Session, Phase: emission.Key.Phase}
		kept, found, err := p.view.Entry(ref)
		if err == nil && !found {
			err = errNoEntry
		}
		if err != nil {
			return nil, fmt.Errorf("held event of lane %s: %w", l.Name, err)
		}
		e = kept.Event
	}
	delete(p.pending.held, emission.ID)
	p.counters.Held.Remove(p.sizeOf(e))
	p.traces.restore(e)
	p.holdTimes.remove(e.ID)
	eff.Released = append(eff.Released, e)
	return e, nil
}

// hold keeps an event that waits.
func (p *Processor) hold(e *bridge.Event, eff *Effects) {
	p.pending.held[e.ID] = e
	p.traces.keep(e)
	p.holdTimes.add(e.ID, e.Recorded)
	p.counters.Held.Add(p.sizeOf(e))
	eff.hold(e)
	eff.decide(e, VerdictHeld, "")
}

// sizeOf returns the length of an event's record.
func (p *Processor) sizeOf(e *bridge.Event) int {
	p.scratch = record.AppendEvent(p.scratch[:0], e)
	return len(p.scratch)
}
