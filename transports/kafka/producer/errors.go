package producer

import (
	"errors"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/rawproduce"

	"livebridge/bridge"
)

// outcome is what an answer, or its absence, says about a batch.
type outcome int

const (
	acked        outcome = iota // all in-sync replicas have it
	notWritten                  // this attempt has written nothing; an earlier one may have
	tooLarge                    // the broker will never accept this batch, but perhaps a part of it
	sequenceLost                // the broker has lost the producer's sequence and rejects the batch from this producer
	unknown                     // the broker may have it
)

// classify returns the outcome of one attempt. Anything uncertain is unknown: with acks=all even an error such as
// NOT_LEADER_OR_FOLLOWER can follow after the batch was written.
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
	case kafka.LeaderNotAvailable, kafka.BrokerNotAvailable, kafka.NotEnoughReplicas, kafka.InvalidTopic,
		kafka.InvalidRequiredAcks, kafka.TopicAuthorizationFailed, kafka.InvalidMessage, kafka.InvalidTimestamp,
		kafka.UnsupportedVersion, kafka.UnsupportedForMessageFormat, kafka.UnsupportedCompressionType, kafka.PolicyViolation,
		kafka.ThrottlingQuotaExceeded, kafka.SASLAuthenticationFailed, kafka.UnsupportedSASLMechanism, kafka.IllegalSASLState:
		return notWritten
	}
	return unknown
}

// BeforeSending is an error of a connection that occurs before anything is sent, such as in a TLS handshake.
type BeforeSending interface {
	error
	BeforeSending()
}

// notSent reports whether the library failed before it wrote anything: it knows no leader, or cannot connect.
func notSent(err error) bool {
	var routing *rawproduce.Error
	var before BeforeSending
	var network *net.OpError
	return errors.As(err, &routing) || errors.As(err, &before) || errors.As(err, &network) && network.Op == "dial"
}

// Unavailable returns the error for events that may be accepted later.
func Unavailable(topic string, err error) error {
	if remedy := remedyFor(err); remedy != "" {
		return bridge.Unavailable("topic %s: %s: %w", topic, remedy, err)
	}
	return bridge.Unavailable("topic %s: %w", topic, err)
}

// remedyFor returns what an operator can do about an error of a topic; empty: unknown.
func remedyFor(err error) string {
	var code kafka.Error
	if !errors.As(err, &code) {
		return ""
	}
	switch code {
	case kafka.TopicAuthorizationFailed:
		return "KAFKA_USER is not permitted to write to it: allow WRITE (which includes DESCRIBE)"
	case kafka.NotEnoughReplicas, kafka.NotEnoughReplicasAfterAppend:
		return "it has fewer in-sync replicas than its min.insync.replicas: start the brokers that hold its replicas"
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

// ErrClosed returns the error for events after Close.
func ErrClosed() error { return bridge.Unavailable("the publisher is closed") }
