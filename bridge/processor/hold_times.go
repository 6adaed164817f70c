package processor

import (
	"cmp"
	"slices"

	"livebridge/bridge"
)

// holdTimes is since when events are held, the oldest first. It changes no decision.
type holdTimes struct {
	queue []heldSince
	gone  map[bridge.ID]struct{} // not held any more, and still in the queue behind one that is
}

type heldSince struct {
	id    bridge.ID
	since bridge.Millis
}

func newHoldTimes() holdTimes { return holdTimes{gone: make(map[bridge.ID]struct{})} }

// takeUp takes up the holds of a lane that a run before has begun. Then sort brings all of them into order.
func (t *holdTimes) takeUp(l *lane, limits Limits, now Moment) {
	for _, h := range l.State.Held {
		passed := limits.Hold(h.Key.Phase) - now.Until(h.Deadline)
		t.add(h.ID, now.Millis()-bridge.Millis(passed.Milliseconds()))
	}
}

func (t *holdTimes) sort() {
	slices.SortFunc(t.queue, func(a, b heldSince) int { return cmp.Compare(a.since, b.since) })
}

// add notes that an event is held.
func (t *holdTimes) add(id bridge.ID, since bridge.Millis) {
	t.queue = append(t.queue, heldSince{id, since})
}

// remove notes that an event is not held any more.
func (t *holdTimes) remove(id bridge.ID) {
	t.gone[id] = struct{}{}
	for len(t.queue) > 0 {
		first := t.queue[0].id
		if _, gone := t.gone[first]; !gone {
			return
		}
		delete(t.gone, first)
		t.queue = t.queue[1:]
	}
}

// OldestHold returns when the event was put on hold that is held the longest; 0: nothing is held.
func (p *Processor) OldestHold() bridge.Millis {
	if len(p.holdTimes.queue) == 0 {
		return 0
	}
	return p.holdTimes.queue[0].since
}
