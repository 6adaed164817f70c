package processor

import (
	"container/heap"

	"livebridge/bridge/sequencer"
)

// holds orders the lanes in which something is held by their nearest deadline, ties by the key that it is of. A lane in
// here stays in memory.
type holds struct {
	lanes []*lane
	held  int // events held in all lanes
}

// update puts the lane where its state now belongs; before is how many events it held until now.
func (h *holds) update(l *lane, before int) {
	h.held += len(l.State.Held) - before
	switch {
	case len(l.State.Held) == 0 && l.timer >= 0:
		heap.Remove((*holdHeap)(h), l.timer)
	case len(l.State.Held) > 0 && l.timer < 0:
		heap.Push((*holdHeap)(h), l)
	case len(l.State.Held) > 0:
		heap.Fix((*holdHeap)(h), l.timer)
	}
}

// nearest returns the lane with the nearest deadline, or nil when nothing is held.
func (h *holds) nearest() (*lane, sequencer.Instant) {
	if len(h.lanes) == 0 {
		return nil, 0
	}
	return h.lanes[0], nearestOf(h.lanes[0]).Deadline
}

// nearestOf returns the held event of the lane whose deadline is nearest, ties by key.
func nearestOf(l *lane) *sequencer.Held { return &l.State.Held[l.State.Nearest()] }

// holdHeap gives holds the methods of container/heap without showing them to the rest of the package.
type holdHeap holds

func (h *holdHeap) Len() int { return len(h.lanes) }

func (h *holdHeap) Less(i, j int) bool {
	a, b := nearestOf(h.lanes[i]), nearestOf(h.lanes[j])
	if a.Deadline != b.Deadline {
		return a.Deadline < b.Deadline
	}
	return a.Key.Compare(b.Key) < 0
}

func (h *holdHeap) Swap(i, j int) {
	h.lanes[i], h.lanes[j] = h.lanes[j], h.lanes[i]
	h.lanes[i].timer, h.lanes[j].timer = i, j
}

func (h *holdHeap) Push(x any) {
	l := x.(*lane)
	l.timer = len(h.lanes)
	h.lanes = append(h.lanes, l)
}

func (h *holdHeap) Pop() any {
	last := len(h.lanes) - 1
	l := h.lanes[last]
	h.lanes[last], h.lanes = nil, h.lanes[:last]
	l.timer = -1
	return l
}
