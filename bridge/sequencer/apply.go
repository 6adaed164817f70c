package sequencer

import "livebridge/bridge"

// Apply returns what in does to a lane in state s. It decides everything about order and nothing else does. It keeps
// neither s nor in and modifies nothing that s points to; the new State may share memory with s.
func Apply(s State, in Input, l Limits) Transition { return ApplyInto(nil, s, in, l) }

// ApplyInto is Apply with a buffer: Emit is appended to emit[:0], which saves the usual input its only allocation. The
// caller is done with the Emit of the Transition that had the buffer before.
func ApplyInto(emit []Emission, s State, in Input, l Limits) Transition {
	t := transit{Transition: Transition{State: s, Emit: emit[:0]}, in: in, limits: l}
	switch in.Action {
	case Arrive:
		t.arrive()
	case Expire:
		t.expire()
	case Squeeze:
		t.squeeze()
	case Replay:
		t.replay()
	}
	return t.Transition
}

// arrive is rules 2 to 5 for a new event, and rule 7 for a lane that has become too full by it.
func (t *transit) arrive() {
	switch in := &t.in; {
	case !in.ordered():
		t.now(unordered(in))
	case t.taken():
		t.now(bridge.MarkReopened)
	case in.Key.Compare(t.State.Last) < 0:
		t.now(bridge.MarkLate)
	case len(t.State.Held) == 0 && in.Key.follows(t.State.Last):
		t.State.Last = in.Key // as join would do, without the allocation
		t.now(0)
	default:
		t.join()
	}
}

// unordered returns the marks of an event that has no place in the order.
func unordered(in *Input) bridge.Marks {
	if in.Kind == bridge.KindStream || in.Unknown {
		return bridge.MarkUnsequenced
	}
	return 0
}

// taken reports whether another event has, or had just now, the place of this one (rule 3).
func (t *transit) taken() bool {
	_, held := t.State.find(t.in.Key)
	return held || t.in.Key == t.State.Last
}

// join lets the event wait, and at once go again if it need not or may not.
func (t *transit) join() {
	in, hold := &t.in, t.limits.hold(t.in.Key.Phase)
	i, _ := t.State.find(in.Key)
	t.State.Held = t.State.with(i, Held{Key: in.Key, ID: in.ID, Deadline: in.At + hold})
	t.settle()
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
func (t *transit) expire() {
	for {
		i := t.State.nearest()
		if i < 0 || t.State.Held[i].Deadline > t.in.At {
			return
		}
		t.releaseTo(i+1, t.State.Held[i].Deadline)
	}
}

// squeeze lets the smallest held event go, and what it was in the way of (rule 7, all lanes together).
func (t *transit) squeeze() {
	if len(t.State.Held) > 0 {
		t.releaseTo(1, t.in.At)
	}
}

// replay emits the event once more; whatever it was marked with before was true of its first emission only.
func (t *transit) replay() {
	marks := bridge.MarkReplayed
	if t.in.Unknown {
		marks |= bridge.MarkUnsequenced
	}
	t.now(marks)
}
