package bridge

import "errors"

// Arrival is one verified callback on its way into the journal. It and all it points to belong to the journal until
// Append returns.
type Arrival struct {
	Event Event // without Recorded, Sequence and Marks

	Identity *Identity // gives the event its ID at the commit; nil: Event.ID is final

	Signature Signature // zero when the callback was accepted unsigned
	Reason    Reason    // not empty: the callback goes to the quarantine instead of its lane
	Raw       []byte    // the body as received; kept in the journal only with a quarantine entry

	EventName string // as sent, for the log; empty: not known

	// Decision is what the journal has decided: emitted, held, duplicate or quarantined. The journal sets it, and the ID
	// of the event, before Append returns nil; after an error neither may be read. With many replicas it is
	// DecisionAccepted, and the ID is set only where it is final: whoever owns the partition decides later.
	Decision string
}

// DecisionAccepted is what is known of a callback that another replica may decide.
const DecisionAccepted = "accepted"

// Signature is what the journal remembers of a valid signature, to tell a duplicate from tampering.
type Signature struct {
	Sum     [16]byte // identifies scheme, kind and signature value; zero: nothing to remember
	Signed  [16]byte // digest of the fields that the signature is over
	Expires Millis   // when the signature ceases to be valid: auth_timestamp + AUTH_SKEW; 0: quarantine only
	Strict  bool     // other unsigned members under the same signature are tampering too (stream status)
	Key     string   // id of the key that made it, for the log
}

// The errors of a journal that cannot store a callback. The provider promises no retry, so each may be a lost callback:
// it is counted and logged.
var (
	// ErrFull: the journal has reached its limit or the disk its reserve. The journal recovers by itself.
	ErrFull = errors.New("journal is full")
	// ErrStopping: the program is shutting down.
	ErrStopping = errors.New("shutting down")
	// ErrFailed: a write or sync failed; nothing is promised until a restart has recovered.
	ErrFailed = errors.New("journal has failed")
	// ErrBrokerAway: with many replicas, the broker has not acknowledged the callback in time, and nothing else may.
	ErrBrokerAway = errors.New("the broker does not acknowledge callbacks")
)
