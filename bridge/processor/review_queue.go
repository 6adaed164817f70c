package processor

import (
	"errors"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
)

// The problems of an entry that a command could not process.
const (
	problemNoEntry = "there is no such entry"
	problemNoLane  = "its body could not be read, so it has no lane to go to; purge it"
	problemType    = "PUBLISH_TYPES does not have its type; add it there, or purge the entry"
)

var (
	errNoEntry = errors.New("no such entry")
	errNoLane  = errors.New("no lane")
	errType    = errors.New("type is not published")
)

// clear takes the entries that a command names off their queue.
func (p *Processor) clear(in *Input, eff *Effects) error {
	for _, number := range in.Numbers {
		outcome, err := p.removeEntry(in, number, eff)
		if err != nil {
			return err
		}
		eff.Outcomes = append(eff.Outcomes, outcome)
	}
	return nil
}

// removeEntry takes one entry off its queue, and replays it where the command releases. The outcome's problem says why
// nothing was done.
func (p *Processor) removeEntry(in *Input, number uint64, eff *Effects) (bridge.Outcome, error) {
	outcome := bridge.Outcome{Number: number}
	e, err := p.findEntry(in.Queue, number)
	if err == nil && in.Action == Release {
		outcome.Emitted, err = p.releaseEntry(in.Queue, e.Event, in.Now, eff)
	}
	switch {
	case errors.Is(err, errNoEntry):
		outcome.Problem = problemNoEntry
		return outcome, nil
	case errors.Is(err, errNoLane):
		outcome.Problem = problemNoLane
		return outcome, nil
	case errors.Is(err, errType):
		outcome.Problem = problemType
		return outcome, nil
	case err != nil:
		return outcome, err
	}
	p.deleteEntry(in.Queue, e, eff)
	return outcome, nil
}

// findEntry reads one entry. The error is errNoEntry when it is not there.
func (p *Processor) findEntry(q bridge.ReviewQueue, number uint64) (Entry, error) {
	if _, known := p.quarantine.find(number); p.pending.removed[number] || q == bridge.QuarantineQueue && !known {
		return Entry{}, errNoEntry // by this very commit, perhaps
	}
	e, found, err := p.view.Entry(EntryRef{Place: placeOf(q), Number: number})
	if err == nil && !found {
		err = errNoEntry
	}
	return e, err
}

// deleteEntry deletes an entry.
func (p *Processor) deleteEntry(q bridge.ReviewQueue, e Entry, eff *Effects) {
	if q == bridge.QuarantineQueue {
		r, _ := p.quarantine.find(e.Number)
		p.quarantine.take(r)
		p.leave(r, eff)
		return
	}
	p.pending.removed[e.Number] = true
	p.counters.DeadLetters.Remove(e.Bytes)
	eff.DeadLettersRemoved = append(eff.DeadLettersRemoved, Entry{Number: e.Number, Bytes: e.Bytes})
}

// releaseEntry emits the event of an entry once more, in its lane. From now on its identity is one that was seen.
func (p *Processor) releaseEntry(
	q bridge.ReviewQueue, e *bridge.Event, now Moment, eff *Effects,
) (*bridge.Emission, error) {
	if !p.opts.Types.Has(e.Type) {
		return nil, errType
	}
	if q == bridge.DeadLetterQueue {
		return p.replay(e, now, eff)
	}
	if e.Lane.IsZero() {
		return nil, errNoLane
	}
	e.Reason = "" // from here on it is an event like any other
	known, err := p.knows(e.ID)
	if err != nil {
		return nil, err
	}
	if !known {
		p.know(e.ID, now.Millis(), eff)
	}
	return p.replay(e, now, eff)
}

// replayAll emits events once more, but for those of types that are not published any more.
func (p *Processor) replayAll(events []*bridge.Event, now Moment, eff *Effects) error {
	for _, e := range events {
		if !p.opts.Types.Has(e.Type) {
			eff.Filtered = append(eff.Filtered, e)
			continue
		}
		emitted, err := p.replay(e, now, eff)
		if err != nil {
			return err
		}
		eff.Replayed = append(eff.Replayed, *emitted)
	}
	return nil
}

// replay emits an event once more, in its lane: a new sequence, marked.
func (p *Processor) replay(e *bridge.Event, now Moment, eff *Effects) (*bridge.Emission, error) {
	l, err := p.lanes.get(e.Lane, now)
	if err != nil {
		return nil, err
	}
	l.Touched = now.Millis()
	in := arrivalOf(e, now)
	in.Action = sequencer.Replay
	if _, err = p.apply(l, in, e, eff); err != nil {
		return nil, err
	}
	return &bridge.Emission{Kind: e.Lane.Kind.String(), Lane: e.Lane.Subject(), Sequence: e.Sequence}, nil
}
