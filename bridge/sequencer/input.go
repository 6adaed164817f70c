package sequencer

import (
	"time"

	"livebridge/bridge"
)

// Action is the kind of an Input.
type Action uint8

// The actions.
const (
	Arrive   Action = iota // a verified, novel callback reaches its lane
	Expire                 // the deadlines up to Input.At have passed
	Overflow               // too many events are held in all lanes: release the smallest of this one
	Replay                 // an operator publishes an event again
)

// Input is one input of a lane.
type Input struct {
	Action Action
	At     Instant       // when, on the scale of the deadlines
	Wall   bridge.Millis // when, on the wall clock: a session far ahead of it orders nothing. Arrive only

	// The event of an Arrive or a Replay.
	ID      bridge.ID
	Kind    bridge.Kind // only KindStream is ordered; all others (0 too) are emitted as they arrive
	Key     Key         // zero: none. Without a session or a phase a stream event is unsequenced
	Unknown bool        // its event name is unknown: unsequenced, whatever its kind
}

// ordered reports whether the event takes part in its lane's order; otherwise it is emitted at once.
func (in *Input) ordered() bool {
	return in.Kind == bridge.KindStream && !in.Unknown &&
		in.Key.Phase != bridge.PhaseNone && bridge.Sequenced(in.Key.Session, in.Wall)
}

// Limits bound how long and how many events a lane holds.
type Limits struct {
	HoldDone time.Duration // how long a DONE waits for what comes before it; 0 or less: not at all
	HoldNext time.Duration // how long a PUBLISH waits, likewise
	PerLane  int           // most events held; 0 or less: none
}

// Hold returns how long an event of the given phase may wait.
func (l *Limits) Hold(p bridge.Phase) time.Duration {
	if p == bridge.PhaseDone {
		return max(l.HoldDone, 0)
	}
	return max(l.HoldNext, 0)
}
