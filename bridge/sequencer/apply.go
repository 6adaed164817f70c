package sequencer

import "livebridge/bridge"

// Apply returns what in does to a lane in state s. It decides everything about order and nothing else does. It keeps
// neither s nor in and modifies nothing that s points to; the new State may share memory with s.
func Apply(s State, in Input, l Limits) Transition { return ApplyInto(nil, s, in, l) }

// ApplyInto is Apply with a buffer: Emit is appended to emit[:0], which saves the usual input its only allocation. The
// caller is done with the Emit of the Transition that had the buffer before.
func ApplyInto(emit []Emission, s State, in Input, l Limits) Transition {
	t := evaluation{Transition: Transition{State: s, Emit: emit[:0]}, in: in, limits: l}
	switch in.Action {
	case Arrive:
		t.arrive()
	case Expire:
		t.expire()
	case Overflow:
		t.overflow()
	case Replay:
		t.replay()
	}
	return t.Transition
}

// arrive is rules 2 to 5 for a new event, and rule 7 for a lane that has become too full by it.
func (t *evaluation) arrive() {
	switch in := &t.in; {
	case !in.ordered():
		t.emitNow(unordered(in))
	case t.occupied():
		t.emitNow(bridge.MarkReopened)
	case in.Key.Compare(t.State.Last) < 0:
		t.emitNow(bridge.MarkLate)
	case len(t.State.Held) == 0 && in.Key.follows(t.State.Last):
		t.State.Last = in.Key // as join would do, without the allocation
		t.emitNow(0)
	default:
		t.insert()
	}
}

// unordered returns the marks of an event that has no place in the order.
func unordered(in *Input) bridge.Marks {
	if in.Kind == bridge.KindStream || in.Unknown {
		return bridge.MarkUnsequenced
	}
	return 0
}

// occupied reports whether another event has, or had just now, the place of this one (rule 3).
func (t *evaluation) occupied() bool {
	_, held := t.State.find(t.in.Key)
	return held || t.in.Key == t.State.Last
}

// insert lets the event wait, and at once go again if it need not or may not.
func (t *evaluation) insert() {
	in, hold := &t.in, t.limits.hold(t.in.Key.Phase)
	i, _ := t.State.find(in.Key)
	t.State.Held = t.State.with(i, Held{Key: in.Key, ID: in.ID, Deadline: in.At + hold})
	t.emitReady()
	if i, waits := t.State.find(in.Key); waits && hold == 0 {
		t.releaseTo(i+1, in.At)
	}
	for len(t.State.Held) > max(t.limits.PerLane, 0) {
		t.releaseTo(1, in.At)
	}
	_, t.Holds = t.State.find(in.Key)
}

// expire ends every hold whose deadline has passed, nearest first, each as if at its own instant: how late the input
// comes must not show in the marks (rule 6).
func (t *evaluation) expire() {
	for {
		i := t.State.nearest()
		if i < 0 || t.State.Held[i].Deadline > t.in.At {
			return
		}
		t.releaseTo(i+1, t.State.Held[i].Deadline)
	}
}

// overflow lets the smallest held event go, and what it was in the way of (rule 7, all lanes together).
func (t *evaluation) overflow() {
	if len(t.State.Held) > 0 {
		t.releaseTo(1, t.in.At)
	}
}

// replay emits the event once more; whatever it was marked with before was true of its first emission only.
func (t *evaluation) replay() {
	marks := bridge.MarkReplayed
	if t.in.Unknown {
		marks |= bridge.MarkUnsequenced
	}
	t.emitNow(marks)
}
