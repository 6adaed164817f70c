package kafka

import (
	"errors"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/rawproduce"

	"livebridge/bridge"
)

// verdict is what an answer, or none, says about a batch.
type verdict int

const (
	taken     verdict = iota // all in-sync replicas have it
	refused                  // this sending has left nothing behind; another may
	tooMuch                  // the broker will never take this batch, but perhaps a part of it
	outOfStep                // it does not take the batch from this producer, whose sequence it has lost
	unknown                  // it may have it
)

// judge reads the answer to one sending. What is not known for certain is unknown: with acks=all even an answer such as
// NOT_LEADER_OR_FOLLOWER can come after the batch was written.
func judge(err error) verdict {
	var code kafka.Error
	switch {
	case err == nil:
		return taken
	case notSent(err):
		return refused
	case !errors.As(err, &code):
		return unknown
	}
	switch code {
	case kafka.DuplicateSequenceNumber:
		return taken
	case kafka.MessageSizeTooLarge, kafka.RecordListTooLarge, kafka.InvalidRecord:
		return tooMuch
	case kafka.OutOfOrderSequenceNumber, kafka.UnknownProducerId, kafka.InvalidProducerEpoch, kafka.ProducerFenced,
		kafka.InvalidProducerIDMapping, kafka.ClusterAuthorizationFailed:
		return outOfStep
	case kafka.LeaderNotAvailable, kafka.BrokerNotAvailable, kafka.NotEnoughReplicas, kafka.InvalidTopic, kafka.InvalidRequiredAcks,
		kafka.TopicAuthorizationFailed, kafka.InvalidMessage, kafka.InvalidTimestamp,
		kafka.UnsupportedVersion, kafka.UnsupportedForMessageFormat, kafka.UnsupportedCompressionType, kafka.PolicyViolation,
		kafka.ThrottlingQuotaExceeded, kafka.SASLAuthenticationFailed, kafka.UnsupportedSASLMechanism, kafka.IllegalSASLState:
		return refused
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

// unavailable makes the answer for events that may be taken later.
func unavailable(topic string, err error) error {
	switch {
	case errors.Is(err, kafka.TopicAuthorizationFailed):
		return bridge.Unavailable("the broker does not let KAFKA_USER write to topic %s: allow it WRITE and DESCRIBE: %w", topic, err)
	case errors.Is(err, kafka.NotEnoughReplicas), errors.Is(err, kafka.NotEnoughReplicasAfterAppend):
		return bridge.Unavailable("topic %s has fewer replicas in sync than its min.insync.replicas: %w", topic, err)
	case errors.Is(err, kafka.InvalidTimestamp):
		return bridge.Unavailable("topic %s does not take our time: is this machine's clock right, or the broker's wrong: %w", topic, err)
	}
	return bridge.Unavailable("topic %s: %w", topic, err)
}

func errClosed() error { return bridge.Unavailable("the publisher is closed") }
