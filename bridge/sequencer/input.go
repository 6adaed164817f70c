package sequencer

import (
	"time"

	"livebridge/bridge"
)

// Action is what happens to a lane.
type Action uint8

// The actions.
const (
	Arrive   Action = iota // a verified callback, not seen before, reaches its lane
	Expire                 // the deadlines up to Input.At have passed
	Overflow               // too much is held in all lanes: let the smallest of this one go
	Replay                 // an operator publishes an event again
)

// Input is one thing that happens to a lane.
type Input struct {
	Action Action
	At     Instant       // when, on the scale of the deadlines
	Wall   bridge.Millis // when, on the wall clock: a session far ahead of it orders nothing. Arrive only

	// The event of an Arrive or a Replay.
	ID      bridge.ID
	Kind    bridge.Kind // only KindStream is put in order; every other one (0 too) comes out as it arrives
	Key     Key         // zero: none. Without a session or a phase a stream event is unsequenced
	Unknown bool        // its event word is not known: unsequenced, whatever its kind
}

// ordered reports whether the event has a place in its lane's order (else it comes out at once).
func (in *Input) ordered() bool {
	return in.Kind == bridge.KindStream && !in.Unknown &&
		in.Key.Phase != bridge.PhaseNone && bridge.Sequenced(in.Key.Session, in.Wall)
}

// Limits bound how long and how much a lane holds.
type Limits struct {
	HoldDone time.Duration // how long a DONE waits for what comes before it; 0 or less: not at all
	HoldNext time.Duration // how long a PUBLISH waits, likewise
	PerLane  int           // most events held; 0 or less: none
}

// hold returns how long an event of the given phase may wait.
func (l *Limits) hold(p bridge.Phase) Instant {
	if p == bridge.PhaseDone {
		return Instant(max(l.HoldDone, 0))
	}
	return Instant(max(l.HoldNext, 0))
}
