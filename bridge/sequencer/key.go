package sequencer

import (
	"cmp"

	"livebridge/bridge"
)

// Key is a stream event's position in its lane: sessions in the order of their start, and within a session PUBLISH
// before PUBLISH_DONE. The zero Key is no position and sorts before every other.
type Key struct {
	Session bridge.Millis
	Phase   bridge.Phase
}

// Compare returns a negative number if k is before o, 0 if they are equal, a positive number otherwise.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Session, o.Session), cmp.Compare(k.Phase, o.Phase))
}

// IsZero reports whether k is no position.
func (k Key) IsZero() bool { return k == Key{} }

// follows reports whether nothing is missing between last and k: a DONE follows its own PUBLISH, a PUBLISH follows any
// DONE or is the first of its lane.
func (k Key) follows(last Key) bool {
	if k.Phase == bridge.PhaseDone {
		return last == Key{k.Session, bridge.PhasePublish}
	}
	return last.Phase != bridge.PhasePublish
}
