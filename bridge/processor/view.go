package processor

import "livebridge/bridge"

// View is what the commits have left of a partition. It is read by Apply and New alone, one call at a time.
type View interface {
	// Lane returns a lane; false: it is new, or was forgotten. Deadlines come back with what is left of them as
	// the wall clock stands now, which may be nothing or too much.
	Lane(name bridge.Lane, now Moment) (LaneState, bool, error)
	// Entry returns an event that is kept; false: there is none.
	Entry(of EntryRef) (Entry, bool, error)
	// Name returns what an identity or a signature was first seen over; false: it was never seen, or is forgotten.
	Name(n Name) (SignatureUse, bool, error)
}

// Place is where an event is kept that is in no lane's output.
type Place uint8

// The places.
const (
	PlaceHeld Place = iota
	PlaceQuarantine
	PlaceDeadLetters
)

// placeOf returns the place of a review queue.
func placeOf(q bridge.ReviewQueue) Place {
	if q == bridge.QuarantineQueue {
		return PlaceQuarantine
	}
	return PlaceDeadLetters
}

// EntryRef names an event that is kept.
type EntryRef struct {
	Place   Place
	Number  uint64        // in quarantine, or of a dead letter
	Lane    bridge.Lane   // of a held event
	Session bridge.Millis // likewise
	Phase   bridge.Phase  // likewise
}

// Name is an identity or a signature, in the part that it is forgotten with.
type Name struct {
	Signature bool     // it is one; otherwise an identity
	Part      uint64   // the number of its Bucket, or its period
	Sum       [16]byte // the name itself
}

// SignatureUse is what a signature was first seen over. Of an identity it is zero.
type SignatureUse struct {
	Signed [16]byte // digest of the signed fields
	ID     bridge.ID
}
