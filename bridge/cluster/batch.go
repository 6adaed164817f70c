package cluster

import (
	"errors"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// batch is what becomes one commit. Should the broker reject an event of it, it is decided once more, from what was
// committed before; so it keeps what goes in, with its moments.
type batch struct {
	steps   []step
	next    uint64 // position in the intake behind it
	records int
	floor   uint64 // of the first batch of all: what its lanes begin behind

	remembered bool // a piece of memory is in it: its names are as many as one row takes

	effects processor.Effects
	results []store.CommandResult
	events  []*bridge.Event // what is committed of effects.Emitted
}

// step is one input of a batch.
type step struct {
	value   []byte     // of the intake's record; nil: housekeeping
	command *commandID // nil: none
	input   processor.Input
}

// reset empties the batch and keeps its memory.
func (b *batch) reset(next uint64) {
	clear(b.steps)
	b.effects.Reset()
	*b = batch{steps: b.steps[:0], next: next, effects: b.effects, results: b.results[:0], events: b.events[:0]}
}

// empty reports whether there is nothing to commit.
func (b *batch) empty() bool { return b.records == 0 && !b.effects.Changes() }

// apply has the processor decide one more input.
func (o *owner) apply(s step) error {
	b := &o.batch
	b.steps = append(b.steps, s)
	return o.decide(&s)
}

// decide has the processor decide an input of the batch.
func (o *owner) decide(s *step) error {
	eff := &o.batch.effects
	outcomes, replayed := len(eff.Outcomes), len(eff.Replayed)
	if err := o.processor.Apply(s.input, eff); err != nil {
		return err
	}
	if s.command != nil {
		o.batch.results = append(o.batch.results, store.CommandResult{
			ID: *s.command, Outcomes: eff.Outcomes[outcomes:], Replayed: eff.Replayed[replayed:],
		})
	}
	return nil
}

// rejection is an event of the batch that the broker will never take.
type rejection struct {
	index int // of Effects.Emitted
	why   error
}

// commit commits the batch, and then has the cache show it. Events that the broker rejects become dead letters.
func (o *owner) commit() error {
	b := &o.batch
	b.events = append(b.events[:0], b.effects.Emitted...)
	var rejected []rejection
	for {
		rows, err := o.cache.Rows(&b.effects, b.next, b.results)
		if err != nil {
			return err
		}
		state, err := o.attempt(rows)
		var one *bridge.RejectedEvent
		switch {
		case err == nil:
			return o.committed(rows, state)
		case !errors.As(err, &one):
			o.stats.aborted()
			return err
		}
		o.stats.aborted()
		rejected = append(rejected, rejection{b.emittedAt(one.Index), one})
		if err := o.decideAgain(rejected); err != nil {
			return err
		}
	}
}

// attempt has the broker commit the batch as it is now.
func (o *owner) attempt(rows []bridge.Row) (state uint64, err error) {
	sent, spans := o.traced(o.batch.events)
	begun := o.opts.now()
	state, err = o.partition.Commit(o.commitContext,
		bridge.PartitionCommit{Events: sent, Rows: rows, Next: o.batch.next})
	endSpans(spans, err)
	o.opts.Attempted(sent, o.opts.now()-begun, err)
	return state, err
}

// emittedAt returns where in Effects.Emitted an event of the commit is.
func (b *batch) emittedAt(index int) int {
	for i, e := range b.effects.Emitted {
		if e == b.events[index] {
			return i
		}
	}
	return -1
}

// decideAgain decides the batch once more, from what was committed before it, without the events that are rejected:
// they are dead letters and have used up their sequence.
func (o *owner) decideAgain(rejected []rejection) error {
	b := &o.batch
	if err := o.newProcessor(o.began); err != nil {
		return err
	}
	o.processor.Counters().Floor = max(o.processor.Counters().Floor, b.floor)
	b.effects, b.results = processor.Effects{}, b.results[:0]
	for i := range b.steps {
		s := &b.steps[i]
		if s.value != nil { // the first time may have changed what it has
			read, err := readIntakeRecord(s.value)
			if err != nil {
				return err
			}
			s.input = inputAt(read.input, s.input.Now)
		}
		if err := o.decide(s); err != nil {
			return err
		}
	}
	return o.deadLetter(rejected)
}

// deadLetter makes events that the broker rejects dead letters, and leaves them out of the commit.
func (o *owner) deadLetter(rejected []rejection) error {
	b := &o.batch
	gone := make(map[*bridge.Event]bool)
	for _, r := range rejected {
		e, why := b.effects.Emitted[r.index], bridge.DeadLetterOf(r.why)
		gone[e] = true
		in := processor.Input{Action: processor.Reject, Now: b.effects.Now,
			Rejected: processor.Rejection{Event: e, Reason: why.DeadLetter, Detail: why.Detail}}
		if err := o.processor.Apply(in, &b.effects); err != nil {
			return err
		}
		o.log.Warn("event rejected by the broker; it is a dead letter", zap.Stringer("id", e.ID),
			zap.Stringer("lane", e.Lane), zap.String("reason", string(why.DeadLetter)), zap.String("detail", why.Detail))
	}
	b.events = b.events[:0]
	for _, e := range b.effects.Emitted {
		if !gone[e] {
			b.events = append(b.events, e)
		}
	}
	return nil
}

// committed has the cache show what was committed.
func (o *owner) committed(rows []bridge.Row, state uint64) error {
	if err := o.cache.Apply(rows, state); err != nil {
		return err
	}
	o.processor.Committed()
	o.stats.committed(&o.batch)
	o.stats.shows(o.cache.State(), o.processor)
	o.opts.Committed(o.number, &o.batch.effects)
	o.began = o.batch.effects.Now
	return nil
}
