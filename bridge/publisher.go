package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Publisher publishes events to a broker.
//
// Publish starts the publishing of one event and returns without waiting for the broker; done is called exactly once,
// at any time (before Publish returns included), from any goroutine, and must not block. A nil error means that the
// broker has acknowledged the event. Any other error is made by Rejected or Unavailable; there is no partial failure.
// Publish may be called by several goroutines at once. The caller never has two events of one lane in flight, so a
// publisher need not preserve order between calls, and may batch. The caller retries, the publisher does not; the
// event must not be kept after done.
//
// Close waits until ctx ends for the events in flight, then answers the rest with an Unavailable error.
type Publisher interface {
	Publish(e *Event, done func(error))
	Close(ctx context.Context) error
}

// Checkpointer is a Publisher whose acknowledgements alone do not mean durable. Checkpoint returns nil when everything
// acknowledged before the call is on disk; until then the journal keeps those events.
type Checkpointer interface {
	Checkpoint(ctx context.Context) error
}

// PublishError is why publishing an event failed.
type PublishError struct {
	// Permanent: the broker rejects this event, however often it is retried.
	Permanent bool
	Err       error
}

// Error returns the cause, and whether a retry can help.
func (e *PublishError) Error() string {
	if e.Permanent {
		return "rejected: " + e.Err.Error()
	}
	return "unavailable: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *PublishError) Unwrap() error { return e.Err }

// Rejected returns the error of an event that the broker rejects for good: it becomes a dead letter.
func Rejected(format string, args ...any) error {
	return &PublishError{Permanent: true, Err: fmt.Errorf(format, args...)}
}

// Unavailable returns the error of an event that may succeed later: it is retried forever, before any other of its
// lane.
func Unavailable(format string, args ...any) error {
	return &PublishError{Err: fmt.Errorf(format, args...)}
}

// IsRejected reports whether the broker rejects the event for good.
func IsRejected(err error) bool {
	var p *PublishError
	return errors.As(err, &p) && p.Permanent
}

// Settlement is the outcome of an event taken from the outbox. The zero Settlement completes it: the broker has
// acknowledged it and its lane continues.
type Settlement struct {
	Retry      time.Duration // above 0: retry after this time, before any other event of its lane
	DeadLetter string        // not empty: the reason why it becomes a dead letter; its lane continues
}
