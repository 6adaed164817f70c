package sequencer

import "livebridge/bridge"

// Apply returns what in does to a lane in state s. Every decision about order is made here. It keeps neither s nor in
// and modifies nothing that s points to; the new State may share memory with s.
func Apply(s State, in Input, l Limits) Transition { return ApplyInto(nil, s, in, l) }

// ApplyInto is Apply with a buffer: Emit is appended to emit[:0], which saves the usual input its only allocation. It
// overwrites the Emit of the Transition that used the buffer before.
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

// arrive applies rules 2 to 5 to a new event, and rule 7 if the lane holds too many then.
func (t *evaluation) arrive() {
	switch in := &t.in; {
	case !in.ordered():
		t.emitNow(unordered(in))
	case t.occupied():
		t.emitNow(bridge.MarkReopened)
	case in.Key.Compare(t.State.Last) < 0:
		t.emitNow(bridge.MarkLate)
	case len(t.State.Held) == 0 && in.Key.follows(t.State.Last):
		t.State.Last = in.Key // as insert would do, without the allocation
		t.emitNow(0)
	default:
		t.insert()
	}
}

// unordered returns the marks of an event that takes no part in the order.
func unordered(in *Input) bridge.Marks {
	if in.Kind == bridge.KindStream || in.Unknown {
		return bridge.MarkUnsequenced
	}
	return 0
}

// occupied reports whether another event with this key is held or was emitted last (rule 3).
func (t *evaluation) occupied() bool {
	_, held := t.State.find(t.in.Key)
	return held || t.in.Key == t.State.Last
}

// insert holds the event, and emits it at once if it is ready or must not be held.
func (t *evaluation) insert() {
	in, hold := &t.in, Instant(t.limits.Hold(t.in.Key.Phase))
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

// expire ends every hold whose deadline has passed, nearest first, each as of its own deadline: a delay of the input
// must not show in the marks (rule 6).
func (t *evaluation) expire() {
	for {
		i := t.State.Nearest()
		if i < 0 || t.State.Held[i].Deadline > t.in.At {
			return
		}
		t.releaseTo(i+1, t.State.Held[i].Deadline)
	}
}

// overflow releases the smallest held event and those that it blocked (rule 7, all lanes together).
func (t *evaluation) overflow() {
	if len(t.State.Held) > 0 {
		t.releaseTo(1, t.in.At)
	}
}

// replay emits the event once more. Its earlier marks were true of its first emission only.
func (t *evaluation) replay() {
	marks := bridge.MarkReplayed
	if t.in.Unknown {
		marks |= bridge.MarkUnsequenced
	}
	t.emitNow(marks)
}
