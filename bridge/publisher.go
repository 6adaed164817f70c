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
	// Rejection is not empty when the broker rejects this event, however often it is retried.
	Rejection Rejection
	Err       error
}

// Rejection is why a broker rejects an event for good. It is the reason of the dead letter.
type Rejection string

// The rejections.
const (
	RejectionTooLarge     Rejection = "too_large"     // larger than the broker or its topic permits
	RejectionInvalidTopic Rejection = "invalid_topic" // no topic can be named for it
	RejectionRefused      Rejection = "refused"       // the broker says no for another reason
)

// Rejections returns every rejection.
func Rejections() []Rejection {
	return []Rejection{RejectionInvalidTopic, RejectionRefused, RejectionTooLarge}
}

// Error returns the cause, and whether a retry can help.
func (e *PublishError) Error() string {
	if e.Rejection != "" {
		return "rejected: " + e.Err.Error()
	}
	return "unavailable: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *PublishError) Unwrap() error { return e.Err }

// Rejected returns the error of an event that the broker rejects for good: it becomes a dead letter.
func Rejected(why Rejection, format string, args ...any) error {
	return &PublishError{Rejection: why, Err: fmt.Errorf(format, args...)}
}

// Unavailable returns the error of an event that may succeed later: it is retried forever, before any other of its
// lane.
func Unavailable(format string, args ...any) error {
	return &PublishError{Err: fmt.Errorf(format, args...)}
}

// IsRejected reports whether the broker rejects the event for good.
func IsRejected(err error) bool {
	var p *PublishError
	return errors.As(err, &p) && p.Rejection != ""
}

// DeadLetterOf returns the settlement of an event that the broker has rejected with an error made by Rejected.
func DeadLetterOf(err error) Settlement {
	var p *PublishError
	if !errors.As(err, &p) {
		return Settlement{DeadLetter: RejectionRefused, Detail: err.Error()}
	}
	return Settlement{DeadLetter: p.Rejection, Detail: p.Err.Error()}
}

// Settlement is the outcome of an event taken from the outbox. The zero Settlement completes it: the broker has
// acknowledged it and its lane continues.
type Settlement struct {
	Retry      time.Duration // above 0: retry after this time, before any other event of its lane
	DeadLetter Rejection     // not empty: why it becomes a dead letter; its lane continues
	Detail     string        // of a dead letter: what is wrong, in words
}
