package bridge

import "errors"

// Arrival is one verified callback on its way into the journal. It and all it points to belong to the journal until
// Append returns.
type Arrival struct {
	Event Event // without Recorded, Sequence and Marks

	Identity *Identity // gives the event its ID at the commit; nil: Event.ID is final

	Signature Signature // zero when the callback was taken unsigned
	Reason    Reason    // not empty: to the quarantine instead of the lane
	Raw       []byte    // the body as received; kept in the journal only with a quarantine entry
}

// Signature is what is remembered of a good signature, to tell a repeat from tampering.
type Signature struct {
	Sum     [16]byte // identifies scheme, kind and signature value; zero: nothing to remember
	Signed  [16]byte // digest of the fields that the signature is over
	Expires Millis   // until when the signature can be taken: auth_timestamp + AUTH_SKEW; 0: it counts in the quarantine alone
	Strict  bool     // other unsigned members under the same signature are tampering too (stream status)
}

// What the journal answers when it cannot take a callback. The provider promises no retry, so each is a callback that
// may be lost: they are rare, counted and loud.
var (
	// ErrFull says that the journal or its disk has no room; it takes callbacks again by itself once there is some.
	ErrFull = errors.New("journal is full")
	// ErrStopping says that the program is shutting down.
	ErrStopping = errors.New("shutting down")
	// ErrFailed says that a write or sync failed; nothing is promised until a restart has recovered.
	ErrFailed = errors.New("journal has failed")
)
