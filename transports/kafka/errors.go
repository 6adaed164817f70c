package kafka

import (
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"

	"livebridge/bridge"
	"livebridge/transports/kafka/producer"
)

// advised is an error that already says what to do.
type advised struct{ error }

// Unwrap returns the broker's error.
func (a *advised) Unwrap() error { return a.error }

func advise(format string, args ...any) error { return &advised{fmt.Errorf(format, args...)} }

// unavailable returns the error for events that may be accepted later.
func unavailable(topic string, err error) error {
	if own := new(advised); errors.As(err, &own) {
		return bridge.Unavailable("topic %s: %w", topic, err)
	}
	return producer.Unavailable(topic, err)
}

// permanent reports whether an error of a topic is more than a transient state, such as that of a new topic or during a
// leader election.
func permanent(err error) bool {
	var code kafka.Error
	return !errors.As(err, &code) || code == kafka.UnknownTopicOrPartition || !code.Temporary()
}

// rootCause returns the innermost error.
func rootCause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
