package sequencer_test

import (
	"slices"
	"strings"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
)

// model is the decision table of a lane, rule by rule, written for reading: slow, in place, with marks as words. The
// held events lie in order of arrival; the smallest is looked for each time.
type model struct {
	open, started bool              // the last event is a PUBLISH; there is a last event
	last          sequencer.Key     // rules 5 to 7 emitted it last
	held          []sequencer.Held  // in order of arrival
	sequence      uint64            // used last
	limits        sequencer.Limits  //
	out           []modelEmission   // of the step at hand
	instant       sequencer.Instant // at which rule 6 or 7 is at work
}

type modelEmission struct {
	id       bridge.ID
	sequence uint64
	marks    string
}

// step does one input and returns what comes out.
func (m *model) step(in sequencer.Input) []modelEmission {
	m.out, m.instant = nil, in.At
	switch in.Action {
	case sequencer.Arrive:
		m.arrive(in)
	case sequencer.Expire:
		m.expire(in.At)
	case sequencer.Squeeze:
		if len(m.held) > 0 {
			m.rule7()
		}
	case sequencer.Replay:
		marks := []string{"replayed"}
		if in.Unknown {
			marks = append(marks, "unsequenced")
		}
		m.emit(in.ID, marks...)
	}
	return m.out
}

func (m *model) arrive(in sequencer.Input) {
	const fiveMinutes = 300_000
	session, phase := in.Key.Session, in.Key.Phase
	switch {
	case in.Unknown:
		m.emit(in.ID, "unsequenced")
	case in.Kind != bridge.KindStream:
		m.emit(in.ID)
	case session == 0 || phase == bridge.PhaseNone || session > in.Wall+fiveMinutes: // rule 2
		m.emit(in.ID, "unsequenced")
	case m.started && in.Key == m.last || m.holds(in.Key): // rule 3
		m.emit(in.ID, "reopened")
	case m.started && less(in.Key, m.last): // rule 4
		m.emit(in.ID, "late")
	default: // rule 5
		wait := m.limits.HoldNext
		if phase == bridge.PhaseDone {
			wait = m.limits.HoldDone
		}
		deadline := in.At + sequencer.Instant(wait)
		m.held = append(m.held, sequencer.Held{Key: in.Key, ID: in.ID, Deadline: deadline})
		m.rule5()
		if wait == 0 && m.holds(in.Key) {
			m.rule6(in.Key)
		}
		for len(m.held) > m.limits.PerLane {
			m.rule7()
		}
	}
}

// rule5: as long as the smallest held event is ready, it is emitted and becomes last.
func (m *model) rule5() {
	for len(m.held) > 0 && m.ready(m.smallest().Key) {
		m.take()
	}
}

// rule6: every held event up to and including that one is emitted in key order; then rule 5 goes on.
func (m *model) rule6(upTo sequencer.Key) {
	for len(m.held) > 0 && !less(upTo, m.smallest().Key) {
		m.take()
	}
	m.rule5()
}

// rule7: the smallest is emitted, then rule 5 again.
func (m *model) rule7() {
	m.take()
	m.rule5()
}

// expire: the deadlines that have passed, nearest first, ties by key, each judged at its own instant.
func (m *model) expire(at sequencer.Instant) {
	for {
		var next *sequencer.Held
		for i, h := range m.held {
			if h.Deadline > at {
				continue
			}
			if next == nil || h.Deadline < next.Deadline || h.Deadline == next.Deadline && less(h.Key, next.Key) {
				next = &m.held[i]
			}
		}
		if next == nil {
			return
		}
		m.instant = next.Deadline
		m.rule6(next.Key)
	}
}

// ready: a DONE when last is its own PUBLISH; a PUBLISH when the lane has no last or last is a DONE.
func (m *model) ready(k sequencer.Key) bool {
	if k.Phase == bridge.PhaseDone {
		return m.open && m.last.Session == k.Session
	}
	return !m.open
}

// take emits the smallest held event, which becomes last, with what the table of marks says about it.
func (m *model) take() {
	h := m.smallest()
	m.held = slices.DeleteFunc(m.held, func(o sequencer.Held) bool { return o.Key == h.Key })
	var marks []string
	if !m.ready(h.Key) && h.Deadline > m.instant {
		marks = append(marks, "forced")
	}
	if h.Key.Phase == bridge.PhasePublish && m.open {
		marks = append(marks, "prev_unended")
	}
	if h.Key.Phase == bridge.PhaseDone && !(m.open && m.last.Session == h.Key.Session) {
		marks = append(marks, "start_unseen")
	}
	m.emit(h.ID, marks...)
	m.last, m.started, m.open = h.Key, true, h.Key.Phase == bridge.PhasePublish
}

func (m *model) emit(id bridge.ID, marks ...string) {
	m.sequence++
	m.out = append(m.out, modelEmission{id, m.sequence, strings.Join(marks, ",")})
}

func (m *model) smallest() sequencer.Held {
	return slices.MinFunc(m.held, func(a, b sequencer.Held) int {
		if less(a.Key, b.Key) {
			return -1
		}
		return 1
	})
}

func (m *model) holds(k sequencer.Key) bool {
	return slices.ContainsFunc(m.held, func(h sequencer.Held) bool { return h.Key == k })
}

func less(a, b sequencer.Key) bool {
	return a.Session < b.Session || a.Session == b.Session && a.Phase < b.Phase
}

func (m *model) clone() *model {
	c := *m
	c.held = slices.Clone(m.held)
	return &c
}
