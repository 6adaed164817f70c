package sequencer

import (
	"cmp"

	"livebridge/bridge"
)

// Key is a stream event's place in its lane: sessions in the order of their start, and in a session PUBLISH before
// PUBLISH_DONE. The zero Key is no place at all and sorts before every other.
type Key struct {
	Session bridge.Millis
	Phase   bridge.Phase
}

// Compare returns a negative number when k comes before o, 0 when they are the same, a positive number otherwise.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Session, o.Session), cmp.Compare(k.Phase, o.Phase))
}

// IsZero reports whether k is no place at all.
func (k Key) IsZero() bool { return k == Key{} }

// follows reports whether an event with key k may come out right after last without anything missing in between: a DONE
// after its own PUBLISH, a PUBLISH after any DONE or as the first of its lane.
func (k Key) follows(last Key) bool {
	if k.Phase == bridge.PhaseDone {
		return last == Key{k.Session, bridge.PhasePublish}
	}
	return last.Phase != bridge.PhasePublish
}
