package sequencer

import "livebridge/bridge"

// Emission is one emitted event.
type Emission struct {
	ID       bridge.ID
	Key      Key // as in its Input
	Sequence uint64
	Marks    bridge.Marks
	Held     bool // it was held before this input
}

// Transition is the effect of one input: the lane's next state and the emissions, in order.
type Transition struct {
	State State
	Emit  []Emission
	Holds bool // the event of this input is in State.Held
}

// evaluation is a Transition in progress.
type evaluation struct {
	Transition
	in     Input
	limits Limits
}

// emitNow emits the event of the input. It changes neither Last nor Held.
func (t *evaluation) emitNow(m bridge.Marks) {
	t.State.Sequence++
	t.Emit = append(t.Emit, Emission{ID: t.in.ID, Key: t.in.Key, Sequence: t.State.Sequence, Marks: m})
}

// pop emits the smallest held event, which becomes Last.
func (t *evaluation) pop(m bridge.Marks) {
	h := t.State.Held[0]
	own := t.in.Action == Arrive && h.Key == t.in.Key
	t.State.Held = t.State.without(1)
	t.State.Last = h.Key
	t.State.Sequence++
	t.Emit = append(t.Emit, Emission{ID: h.ID, Key: h.Key, Sequence: t.State.Sequence, Marks: m, Held: !own})
}

// emitReady emits the smallest held event as long as nothing is missing before it (rule 5).
func (t *evaluation) emitReady() {
	for len(t.State.Held) > 0 && t.State.Held[0].Key.follows(t.State.Last) {
		t.pop(0)
	}
}

// release emits the smallest held event at the instant at, ready or not, with its marks.
func (t *evaluation) release(at Instant) {
	h := t.State.Held[0]
	if h.Key.follows(t.State.Last) {
		t.pop(0)
		return
	}
	marks := bridge.MarkPrevUnended
	if h.Key.Phase == bridge.PhaseDone {
		marks = bridge.MarkStartUnseen
	}
	if h.Deadline > at {
		marks |= bridge.MarkForced
	}
	t.pop(marks)
}

// releaseTo emits the first n held events at the instant at, then those that became ready (rule 6).
func (t *evaluation) releaseTo(n int, at Instant) {
	for range n {
		t.release(at)
	}
	t.emitReady()
}
