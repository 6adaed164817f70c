package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Publisher puts events on a broker's topic.
//
// Publish starts the publishing of one event and returns without waiting for the broker; done is called exactly once, at
// any time (before Publish returns included), from any goroutine, and must not block. A nil error means that the broker
// has acknowledged the event. Any other error is made by Rejected or Unavailable; there is no partial failure. Publish
// may be called by several goroutines at once. The caller never has two events of one lane under way, so a publisher
// need not keep order between calls; it may batch what waits. The caller retries, the publisher does not; the event must
// not be kept after done.
//
// Close waits for what is under way until ctx ends, then answers the rest with an Unavailable error.
type Publisher interface {
	Publish(e *Event, done func(error))
	Close(ctx context.Context) error
}

// Checkpointer is a Publisher whose acknowledgement is not on disk by itself. Checkpoint returns nil when everything
// that was acknowledged before the call is on disk; until then the journal keeps those events.
type Checkpointer interface {
	Checkpoint(ctx context.Context) error
}

// PublishError is the outcome of a publishing that did not succeed.
type PublishError struct {
	// Permanent: the broker will never take this event, however often it is tried.
	Permanent bool
	Err       error
}

// Error says what went wrong and whether trying again can help.
func (e *PublishError) Error() string {
	if e.Permanent {
		return "rejected: " + e.Err.Error()
	}
	return "unavailable: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *PublishError) Unwrap() error { return e.Err }

// Rejected makes the error of an event that the broker will never take: it goes to the dead letters.
func Rejected(format string, args ...any) error {
	return &PublishError{Permanent: true, Err: fmt.Errorf(format, args...)}
}

// Unavailable makes the error of an event that may be taken later: it is tried again, in place, for ever.
func Unavailable(format string, args ...any) error {
	return &PublishError{Err: fmt.Errorf(format, args...)}
}

// IsRejected reports whether err says that the broker will never take the event.
func IsRejected(err error) bool {
	var p *PublishError
	return errors.As(err, &p) && p.Permanent
}

// Settlement is what became of an event that was taken from the outbox. The zero Settlement means that the broker has
// acknowledged it and its lane goes on.
type Settlement struct {
	Retry      time.Duration // above 0: not taken yet; the event comes again, before any other of its lane, after this time
	DeadLetter string        // not empty: to the dead letters, for this reason; its lane goes on
}
