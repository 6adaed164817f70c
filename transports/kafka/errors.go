package kafka

import (
	"errors"
	"fmt"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/rawproduce"

	"livebridge/bridge"
)

// outcome is what an answer, or none, says about a batch.
type outcome int

const (
	acked        outcome = iota // all in-sync replicas have it
	notWritten                  // this sending has left nothing behind; another may
	tooLarge                    // the broker will never take this batch, but perhaps a part of it
	sequenceLost                // it does not take the batch from this producer, whose sequence it has lost
	unknown                     // it may have it
)

// classify reads the answer to one sending. What is not known for certain is unknown: with acks=all even an answer such as
// NOT_LEADER_OR_FOLLOWER can come after the batch was written.
func classify(err error) outcome {
	var code kafka.Error
	switch {
	case err == nil:
		return acked
	case notSent(err):
		return notWritten
	case !errors.As(err, &code):
		return unknown
	}
	switch code {
	case kafka.DuplicateSequenceNumber:
		return acked
	case kafka.MessageSizeTooLarge, kafka.RecordListTooLarge, kafka.InvalidRecord:
		return tooLarge
	case kafka.OutOfOrderSequenceNumber, kafka.UnknownProducerId, kafka.InvalidProducerEpoch, kafka.ProducerFenced,
		kafka.InvalidProducerIDMapping, kafka.ClusterAuthorizationFailed:
		return sequenceLost
	case kafka.LeaderNotAvailable, kafka.BrokerNotAvailable, kafka.NotEnoughReplicas, kafka.InvalidTopic, kafka.InvalidRequiredAcks,
		kafka.TopicAuthorizationFailed, kafka.InvalidMessage, kafka.InvalidTimestamp,
		kafka.UnsupportedVersion, kafka.UnsupportedForMessageFormat, kafka.UnsupportedCompressionType, kafka.PolicyViolation,
		kafka.ThrottlingQuotaExceeded, kafka.SASLAuthenticationFailed, kafka.UnsupportedSASLMechanism, kafka.IllegalSASLState:
		return notWritten
	}
	return unknown
}

// notSent reports whether the library gave up before it wrote anything: it knows no leader, or cannot connect.
func notSent(err error) bool {
	var routing *rawproduce.Error
	var network *net.OpError
	var handshake *handshakeError
	return errors.As(err, &routing) || errors.As(err, &handshake) || errors.As(err, &network) && network.Op == "dial"
}

// advised is an error that says itself what to do.
type advised struct{ error }

// Unwrap returns the broker's error.
func (a *advised) Unwrap() error { return a.error }

func advise(format string, args ...any) error { return &advised{fmt.Errorf(format, args...)} }

// unavailable makes the answer for events that may be taken later.
func unavailable(topic string, err error) error {
	if remedy := remedyFor(err); remedy != "" {
		return bridge.Unavailable("topic %s: %s: %w", topic, remedy, err)
	}
	return bridge.Unavailable("topic %s: %w", topic, err)
}

// remedyFor says what a user can do about an error of a topic; empty: nothing that we know of.
func remedyFor(err error) string {
	var code kafka.Error
	if own := new(advised); errors.As(err, &own) || !errors.As(err, &code) {
		return ""
	}
	switch code {
	case kafka.TopicAuthorizationFailed:
		return "KAFKA_USER may not write to it: allow WRITE (which includes DESCRIBE)"
	case kafka.NotEnoughReplicas, kafka.NotEnoughReplicasAfterAppend:
		return "it has fewer replicas in sync than its min.insync.replicas"
	case kafka.InvalidTimestamp:
		return "the event's timestamp is out of range: check the clocks of this machine and of the broker, and the topic's " +
			"message.timestamp.before.max.ms and message.timestamp.after.max.ms"
	case kafka.InvalidTopic:
		return "its name is invalid: change KAFKA_TOPIC or QUARANTINE_TOPIC"
	case kafka.PolicyViolation:
		return "a policy of the broker rejects the event"
	case kafka.UnsupportedCompressionType:
		return "its compression type is not supported: change KAFKA_COMPRESSION or the topic's compression.type"
	}
	return ""
}

func errClosed() error { return bridge.Unavailable("the publisher is closed") }
