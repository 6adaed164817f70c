package checker

import (
	"slices"
	"time"

	"livebridge/bridge"
)

// lane is the output of one lane: events in topic order, without duplicates.
type lane struct {
	name          string
	stream        bool // of stream status, which is ordered by key
	events        []Event
	deadLetters   []Event
	content       map[emissionKey][16]byte
	firstSequence map[string]uint64 // the first sequence of an id
	faults        []Fault           // found while adding
}

// emissionKey identifies what must have the same bytes whenever it is published.
type emissionKey struct {
	id       string
	sequence uint64
}

func newLane(e *Event) *lane {
	stream := e.Reason == "" && e.Kind == bridge.KindStream.String()
	return &lane{
		name: e.lane(), stream: stream, content: map[emissionKey][16]byte{}, firstSequence: map[string]uint64{},
	}
}

// add adds the next event and reports whether it is new. One with a known id and sequence is a duplicate: its bytes are
// compared and it is not added again.
func (l *lane) add(e Event, deadLetter bool) bool {
	at := emissionKey{e.ID, e.Sequence}
	if before, seen := l.content[at]; seen {
		if before != e.Digest {
			l.fault(FaultBytes, "id %s, sequence %d: two different events", e.ID, e.Sequence)
		}
		return false
	}
	l.content[at] = e.Digest
	if first, seen := l.firstSequence[e.ID]; !seen {
		l.firstSequence[e.ID] = e.Sequence
	} else if !e.Marks.Has(bridge.MarkReplayed) {
		l.fault(FaultBytes, "id %s: has sequence %d and, without the mark replayed, %d", e.ID, first, e.Sequence)
	}
	if deadLetter {
		l.deadLetters = append(l.deadLetters, e)
	} else {
		l.events = append(l.events, e)
	}
	return true
}

func (l *lane) fault(kind FaultKind, format string, args ...any) {
	l.faults = append(l.faults, newFault(kind, l.name, format, args...))
}

// check reports all faults of the lane to r. first is the first sequence of a new lane, 0 if unknown.
func (l *lane) check(c Config, first uint64, r *Report) {
	for _, f := range l.faults {
		r.add(f)
	}
	events := l.merged()
	l.checkSequences(events, r)
	w := orderCheck{lane: l, config: c, report: r, firstSequence: first, lastIndex: map[Key]int{},
		partial: c.partial()}
	if l.stream {
		w.checkStream(events)
	} else {
		w.checkOther(events)
	}
	for i := range events {
		checkMaxDelay(&events[i], c, r)
	}
}

// merged returns the events and the dead letters, those inserted by their sequences.
func (l *lane) merged() []Event {
	out := slices.Clone(l.events)
	for _, d := range l.deadLetters {
		i := slices.IndexFunc(out, func(e Event) bool { return e.Sequence > d.Sequence })
		if i < 0 {
			i = len(out)
		}
		out = slices.Insert(out, i, d)
	}
	return out
}

// checkSequences: in topic order the sequence rises by exactly 1. The first sequence is not checked: a lane that the
// journal has dropped continues elsewhere, and a new one begins after the creation of its journal.
func (l *lane) checkSequences(events []Event, r *Report) {
	for i := 1; i < len(events); i++ {
		before, e := events[i-1].Sequence, events[i].Sequence
		switch {
		case e > before+1:
			r.fault(FaultSequence, l.name, "%d is followed by %d: %d missing", before, e, e-before-1)
		case e <= before:
			r.fault(FaultSequence, l.name, "%d is followed by %d (id %s): not in sequence order", before, e, events[i].ID)
		}
	}
}

// checkMaxDelay: nothing waits longer than the longer hold. Dead letters were not received, so they are not checked.
func checkMaxDelay(e *Event, c Config, r *Report) {
	if e.Seen == 0 || c.Slack == 0 || e.Marks.Has(bridge.MarkReplayed) {
		return
	}
	waited := time.Duration(e.Seen-e.Recorded) * time.Millisecond
	if limit := max(c.HoldDone, c.HoldNext) + c.Slack; waited > limit {
		r.fault(FaultHold, e.lane(), "sequence %d (id %s) was received %v after its arrival, at most %v are allowed",
			e.Sequence, e.ID, waited, limit)
	}
}
