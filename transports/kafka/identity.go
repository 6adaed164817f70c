package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// identity is what the broker knows a producer by. With it and a sequence number for every record of a partition, the
// broker takes each batch once and none before another.
type identity struct {
	id    int64
	epoch int16
}

// nobody is a producer that the broker does not know: it takes a batch as often as it is sent.
func nobody() identity { return identity{id: -1, epoch: -1} }

// identities asks the broker for identities.
type identities struct {
	cluster *cluster
	log     *zap.Logger
	recheck time.Duration // after a denial

	mu     sync.Mutex
	common identity // what partitions begin with
	known  bool
	denied time.Time // when the broker last did not let us have one; zero: it does
}

// first returns the identity that every partition begins with.
func (i *identities) first(ctx context.Context) (identity, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known && !i.due() {
		return i.common, nil
	}
	who, err := i.ask(ctx)
	switch {
	case err == nil:
		i.common, i.known = who, true
	case i.known:
		i.denied = time.Now() // that was for the better; it goes on as it was
		return i.common, nil
	}
	return who, err
}

// another returns an identity that was never used, for a partition whose sequence the broker has lost.
func (i *identities) another(ctx context.Context) (identity, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.denied.IsZero() && !i.due() {
		return i.common, nil
	}
	return i.ask(ctx)
}

// due reports whether a broker that has denied us an identity is to be asked again. The lock is held.
func (i *identities) due() bool { return !i.denied.IsZero() && time.Since(i.denied) >= i.recheck }

func (i *identities) ask(ctx context.Context) (identity, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	answer, err := i.cluster.client().InitProducerID(ctx, &kafka.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1})
	if err == nil {
		err = answer.Error
	}
	switch {
	case deniesIdentity(err):
		i.deny(err)
		return i.common, nil
	case err != nil:
		return identity{}, bridge.Unavailable("no producer ID from the broker yet: %w", err)
	}
	who := identity{id: int64(answer.Producer.ProducerID), epoch: int16(answer.Producer.ProducerEpoch)}
	if !i.denied.IsZero() {
		i.log.Info("idempotent publishing is permitted again")
		i.common, i.denied = who, time.Time{}
	}
	return who, nil
}

// deny goes on without an identity.
func (i *identities) deny(err error) {
	if i.denied.IsZero() {
		i.log.Warn("idempotent publishing is not permitted: events may be duplicated when a response is lost; "+
			"allow KAFKA_USER IDEMPOTENT_WRITE on the cluster, or WRITE on the topics", zap.Error(err))
	}
	i.common, i.known, i.denied = nobody(), true, time.Now()
}

// refused notes that a batch was not taken because of its identity.
func (i *identities) refused(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.deny(err)
}

// deniesIdentity tells a broker that will not have idempotent producers from one that has just started (it answers that
// its coordinator is loading).
func deniesIdentity(err error) bool {
	var code kafka.Error
	if !errors.As(err, &code) {
		return false
	}
	switch code {
	case kafka.ClusterAuthorizationFailed, kafka.TransactionalIDAuthorizationFailed, kafka.UnsupportedVersion, kafka.InvalidRequest:
		return true
	}
	return false
}

// String is for logs.
func (i identity) String() string { return fmt.Sprintf("producer %d epoch %d", i.id, i.epoch) }
