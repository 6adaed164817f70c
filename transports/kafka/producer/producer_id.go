package producer

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// producerID identifies an idempotent producer. With it and a sequence number for every record of a partition, the
// broker accepts each batch once and in order.
type producerID struct {
	id    int64
	epoch int16
}

// producerIDTimeout bounds one request for a producer id.
const producerIDTimeout = 5 * time.Second

// noProducerID is a producer without idempotence: the broker writes a batch as often as it is sent.
func noProducerID() producerID { return producerID{id: -1, epoch: -1} }

// producerIDs requests producer ids from the broker.
type producerIDs struct {
	brokers       Brokers
	log           *zap.Logger
	retryInterval time.Duration // after a denial

	mu     sync.Mutex
	shared producerID // the initial one of all partitions
	known  bool
	denied time.Time // time of the last denial; zero: not denied
}

// Idempotent reports whether the brokers recognise a batch that is sent again: they have given a producer id.
func (s *Producer) Idempotent() bool {
	i := s.producerIDs
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.known && i.denied.IsZero()
}

// first returns the producer id with which every partition starts.
func (i *producerIDs) first(ctx context.Context) (producerID, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known && !i.retryDue() {
		return i.shared, nil
	}
	producer, err := i.request(ctx)
	switch {
	case err == nil:
		i.shared, i.known = producer, true
	case i.known:
		i.denied = time.Now() // publishing continues without one, as before
		return i.shared, nil
	}
	return producer, err
}

// fresh returns an unused producer id, for a partition whose sequence the broker has lost.
func (i *producerIDs) fresh(ctx context.Context) (producerID, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.denied.IsZero() && !i.retryDue() {
		return i.shared, nil
	}
	return i.request(ctx)
}

// retryDue reports whether a denied request may be retried. The lock is held.
func (i *producerIDs) retryDue() bool {
	return !i.denied.IsZero() && time.Since(i.denied) >= i.retryInterval
}

func (i *producerIDs) request(ctx context.Context) (producerID, error) {
	ctx, cancel := context.WithTimeout(ctx, producerIDTimeout)
	defer cancel()
	answer, err := i.brokers.Client().InitProducerID(ctx, &kafka.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1})
	if err == nil {
		err = answer.Error
	}
	switch {
	case deniesProducerID(err):
		i.deny(err)
		return i.shared, nil
	case err != nil:
		return producerID{}, bridge.Unavailable("no producer id from the broker yet: %w", err)
	}
	producer := producerID{id: int64(answer.Producer.ProducerID), epoch: int16(answer.Producer.ProducerEpoch)}
	if !i.denied.IsZero() {
		i.log.Info("idempotent publishing is permitted again")
		i.shared, i.denied = producer, time.Time{}
	}
	return producer, nil
}

// deny continues without a producer id.
func (i *producerIDs) deny(err error) {
	if i.denied.IsZero() {
		i.log.Warn("idempotent publishing is not permitted: events may be duplicated when a response is lost; "+
			"allow KAFKA_USER IDEMPOTENT_WRITE on the cluster, or WRITE on the topics", zap.Error(err))
	}
	i.shared, i.known, i.denied = noProducerID(), true, time.Now()
}

// rejected handles a batch that was rejected because of its producer id.
func (i *producerIDs) rejected(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.deny(err)
}

// deniesProducerID reports whether the broker does not permit or support idempotent producers. A broker that has just
// started does: it answers that its coordinator is loading.
func deniesProducerID(err error) bool {
	var code kafka.Error
	if !errors.As(err, &code) {
		return false
	}
	switch code {
	case kafka.ClusterAuthorizationFailed, kafka.TransactionalIDAuthorizationFailed,
		kafka.UnsupportedVersion, kafka.InvalidRequest:
		return true
	}
	return false
}
