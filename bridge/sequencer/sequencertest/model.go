// Package sequencertest is a second implementation of the rules of package sequencer, written from them alone and for
// readability: slow, in place, with marks as text. The tests of the sequencer, of the journal and of the whole program
// compare theirs with it, event by event and mark by mark.
package sequencertest

import (
	"slices"
	"strings"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
)

// Model is a lane. With only Limits set it is a new one.
type Model struct {
	Limits   sequencer.Limits
	Last     sequencer.Key    // rules 5 to 7 emitted it last; zero: nothing yet
	Held     []sequencer.Held // in order of arrival; the smallest is searched each time
	Sequence uint64           // used last

	out     []Emission        // of the current step
	instant sequencer.Instant // as of which rule 6 or 7 applies
}

// Emission is one emitted event, its marks as text.
type Emission struct {
	ID       bridge.ID
	Sequence uint64
	Marks    string
}

// Step applies one input and returns the emissions, in order.
func (m *Model) Step(in sequencer.Input) []Emission {
	m.out, m.instant = nil, in.At
	switch in.Action {
	case sequencer.Arrive:
		m.arrive(in)
	case sequencer.Expire:
		m.expire(in.At)
	case sequencer.Overflow:
		if len(m.Held) > 0 {
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

// Restart applies a restart of the program at the instant at: holds continue, and those that ended meanwhile end now.
func (m *Model) Restart(at sequencer.Instant) {
	for i := range m.Held {
		m.Held[i].Deadline = max(m.Held[i].Deadline, at)
	}
}

// Clone returns a copy that shares nothing.
func (m *Model) Clone() *Model {
	c := *m
	c.Held = slices.Clone(m.Held)
	return &c
}

func (m *Model) arrive(in sequencer.Input) {
	const fiveMinutes = 300_000
	session, phase := in.Key.Session, in.Key.Phase
	switch {
	case in.Unknown:
		m.emit(in.ID, "unsequenced")
	case in.Kind != bridge.KindStream:
		m.emit(in.ID)
	case session == 0 || phase == bridge.PhaseNone || session > in.Wall+fiveMinutes: // rule 2
		m.emit(in.ID, "unsequenced")
	case m.started() && in.Key == m.Last || m.holds(in.Key): // rule 3
		m.emit(in.ID, "reopened")
	case m.started() && less(in.Key, m.Last): // rule 4
		m.emit(in.ID, "late")
	default: // rule 5
		wait := m.Limits.HoldNext
		if phase == bridge.PhaseDone {
			wait = m.Limits.HoldDone
		}
		deadline := in.At + sequencer.Instant(wait)
		m.Held = append(m.Held, sequencer.Held{Key: in.Key, ID: in.ID, Deadline: deadline})
		m.rule5()
		if wait == 0 && m.holds(in.Key) {
			m.rule6(in.Key)
		}
		for len(m.Held) > m.Limits.PerLane {
			m.rule7()
		}
	}
}

// rule5: as long as the smallest held event is ready, it is emitted and becomes last.
func (m *Model) rule5() {
	for len(m.Held) > 0 && m.ready(m.smallest().Key) {
		m.emitSmallest()
	}
}

// rule6: every held event up to and including that one is emitted in key order; then rule 5 goes on.
func (m *Model) rule6(upTo sequencer.Key) {
	for len(m.Held) > 0 && !less(upTo, m.smallest().Key) {
		m.emitSmallest()
	}
	m.rule5()
}

// rule7: the smallest is emitted, then rule 5 again.
func (m *Model) rule7() {
	m.emitSmallest()
	m.rule5()
}

// expire: the deadlines that have passed, nearest first, ties by key, each as of its own instant.
func (m *Model) expire(at sequencer.Instant) {
	for {
		var next *sequencer.Held
		for i, h := range m.Held {
			if h.Deadline > at {
				continue
			}
			if next == nil || h.Deadline < next.Deadline || h.Deadline == next.Deadline && less(h.Key, next.Key) {
				next = &m.Held[i]
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
func (m *Model) ready(k sequencer.Key) bool {
	if k.Phase == bridge.PhaseDone {
		return m.open() && m.Last.Session == k.Session
	}
	return !m.open()
}

// emitSmallest emits the smallest held event, which becomes last, with what the table of marks says about it.
func (m *Model) emitSmallest() {
	h := m.smallest()
	m.Held = slices.DeleteFunc(m.Held, func(o sequencer.Held) bool { return o.Key == h.Key })
	var marks []string
	if !m.ready(h.Key) && h.Deadline > m.instant {
		marks = append(marks, "forced")
	}
	if h.Key.Phase == bridge.PhasePublish && m.open() {
		marks = append(marks, "prev_unended")
	}
	if h.Key.Phase == bridge.PhaseDone && !(m.open() && m.Last.Session == h.Key.Session) {
		marks = append(marks, "start_unseen")
	}
	m.emit(h.ID, marks...)
	m.Last = h.Key
}

func (m *Model) emit(id bridge.ID, marks ...string) {
	m.Sequence++
	m.out = append(m.out, Emission{id, m.Sequence, strings.Join(marks, ",")})
}

func (m *Model) started() bool { return m.Last != sequencer.Key{} }

// open: the last event in order is a PUBLISH.
func (m *Model) open() bool { return m.Last.Phase == bridge.PhasePublish }

func (m *Model) smallest() sequencer.Held {
	return slices.MinFunc(m.Held, func(a, b sequencer.Held) int {
		if less(a.Key, b.Key) {
			return -1
		}
		return 1
	})
}

func (m *Model) holds(k sequencer.Key) bool {
	return slices.ContainsFunc(m.Held, func(h sequencer.Held) bool { return h.Key == k })
}

func less(a, b sequencer.Key) bool {
	return a.Session < b.Session || a.Session == b.Session && a.Phase < b.Phase
}
