package kafka

import (
	"context"
	"errors"
	"fmt"

	"livebridge/bridge"
	"livebridge/transports/kafka/producer"
)

// Append implements bridge.IntakeLog. What many callers append at the same time goes out in one request; it is
// acknowledged by all in-sync replicas.
func (r *Replicas) Append(ctx context.Context, partition int, input []byte) error {
	t := r.intake.topics.as(r.intakeTopic, roleIntake)
	if partition < 0 || partition >= r.count {
		return fmt.Errorf("topic %s has no partition %d", t.Name, partition)
	}
	if fault := t.fault.Load(); fault != nil {
		return *fault
	}
	answer := make(chan error, 1)
	r.intake.producer.Publish(t.layout.Load().partitions[partition], producer.Record{
		Value: input, Done: func(err error) { answer <- err },
	})
	select {
	case err := <-answer:
		return ofInput(err)
	case <-ctx.Done():
		return bridge.Unavailable("topic %s: no acknowledgement of the callback yet: %w", t.Name, ctx.Err())
	}
}

// ofInput says in an error of the producer what was refused: it speaks of events and dead letters.
func ofInput(err error) error {
	var refused *bridge.PublishError
	if !errors.As(err, &refused) || refused.Rejection != bridge.RejectionTooLarge {
		return err
	}
	return bridge.Rejected(refused.Rejection, "a callback is larger than the intake topic's max.message.bytes: "+
		"raise that: %w", rootCause(err))
}

// Partitions implements bridge.IntakeLog.
func (r *Replicas) Partitions() int { return r.count }
