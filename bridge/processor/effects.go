package processor

import "livebridge/bridge"

// Effects is everything that inputs change, for one commit. Within it what is put comes before what is removed, and
// Forget is the last input. Events are not changed any more once the next input is applied.
type Effects struct {
	Now Moment // of the last input

	Emitted   []*bridge.Event // in this order, each the next of its lane
	Lanes     []LaneState     // that changed, each once, as the last input has left it
	Forgotten []bridge.Lane

	Held     []*bridge.Event // put on hold
	Released []*bridge.Event // not on hold any more

	Identities      []Name
	IdentitiesBelow uint64 // identities in parts below are forgotten
	Signatures      []Signature
	SignaturesBelow uint64 // likewise of signatures

	Quarantined  []Quarantined
	Unquarantine []QuarantineRecord // leave the quarantine

	DeadLettered       []DeadLetter
	DeadLettersRemoved []Entry // without what they hold

	Counters Counters // as the last input has left them

	// What the inputs came to, for those who count, log and answer.
	Decisions         []Decision
	Outcomes          []bridge.Outcome  // of Release and Purge, one for each number
	Replayed          []bridge.Emission // of Replay, one for each event that is emitted
	Filtered          []*bridge.Event   // would have been emitted and are of none of Options.Types
	Duplicates        int
	QuarantineEvicted int    // entries that its limits have kept out or taken out
	IdentitiesEvicted uint64 // before their time

	bytes int
}

// Signature is a signature that was seen for the first time.
type Signature struct {
	Name Name
	Use  SignatureUse
}

// Quarantined is a callback that goes to the quarantine.
type Quarantined struct {
	QuarantineRecord
	Event     *bridge.Event
	Raw       []byte // the arrival's
	Key       string // the arrival's: id of the key that it was signed with
	EventName string // the arrival's
}

// DeadLetter is an event that the broker will never take.
type DeadLetter struct {
	Number uint64
	Event  *bridge.Event
	Reason bridge.Rejection
	Detail string
}

// Verdict is what was decided on a callback.
type Verdict uint8

// The verdicts.
const (
	VerdictEmitted  Verdict = iota
	VerdictFiltered         // would have been emitted and is of none of Options.Types
	VerdictHeld
	VerdictDuplicate
	VerdictQuarantined
)

// String returns the verdict as it is logged.
func (v Verdict) String() string {
	return [...]string{"emitted", "filtered", "held", "duplicate", "quarantined"}[v]
}

// Decision is the verdict on one callback.
type Decision struct {
	Event   *bridge.Event
	Verdict Verdict
	Reason  bridge.Reason // of the quarantine
}

// Reset empties the effects for another commit and keeps their memory.
func (e *Effects) Reset() {
	clear(e.Emitted)
	clear(e.Held)
	clear(e.Released)
	clear(e.Decisions)
	clear(e.Quarantined)
	clear(e.Filtered)
	*e = Effects{
		Emitted: e.Emitted[:0], Lanes: e.Lanes[:0], Forgotten: e.Forgotten[:0], Held: e.Held[:0], Released: e.Released[:0],
		Identities: e.Identities[:0], Signatures: e.Signatures[:0], Quarantined: e.Quarantined[:0],
		Unquarantine: e.Unquarantine[:0], Decisions: e.Decisions[:0], Filtered: e.Filtered[:0],
	}
}

// Changes reports whether there is anything to commit. A duplicate alone changes nothing.
func (e *Effects) Changes() bool {
	return len(e.Emitted)+len(e.Lanes)+len(e.Forgotten)+len(e.Held)+len(e.Released)+len(e.Identities)+len(e.Signatures)+
		len(e.Quarantined)+len(e.Unquarantine)+len(e.DeadLettered)+len(e.DeadLettersRemoved) > 0 ||
		e.IdentitiesBelow > 0 || e.SignaturesBelow > 0
}

// Bytes is about how much the effects hold.
func (e *Effects) Bytes() int { return e.bytes }

// eventBytes is about what an event takes beside its data.
const eventBytes = 256

func (e *Effects) emit(event *bridge.Event) {
	e.Emitted = append(e.Emitted, event)
	e.bytes += eventBytes + len(event.Data)
}

func (e *Effects) hold(event *bridge.Event) {
	e.Held = append(e.Held, event)
	e.bytes += eventBytes + len(event.Data)
}

func (e *Effects) decide(event *bridge.Event, v Verdict, reason bridge.Reason) {
	e.Decisions = append(e.Decisions, Decision{event, v, reason})
}
