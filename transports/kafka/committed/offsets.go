package committed

import (
	"context"
	"errors"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/fetch"
	"github.com/segmentio/kafka-go/protocol/listoffsets"
)

// Instants that stand for an end of the log.
const (
	latest   = -1
	earliest = -2
)

// End returns the offset behind the last record that readers may see now: of committed ones, the first that belongs to
// an open transaction. It asks once.
func End(ctx context.Context, b Brokers, topic string, partition int, committed bool) (int64, error) {
	return offset(ctx, b, topic, partition, latest, committed)
}

// Begin returns the offset of the first record. It asks once.
func Begin(ctx context.Context, b Brokers, topic string, partition int) (int64, error) {
	return offset(ctx, b, topic, partition, earliest, false)
}

// Since returns the offset of the first record of the time t or later; -1: there is none. It asks once.
func Since(ctx context.Context, b Brokers, topic string, partition int, t time.Time) (int64, error) {
	return offset(ctx, b, topic, partition, t.UnixMilli(), false)
}

var errNoAnswer = errors.New("the response lacks the partition")

// offset asks the leader, which answers OFFSET_NOT_AVAILABLE while it is new and does not know yet what its predecessor
// had acknowledged.
func offset(ctx context.Context, b Brokers, topic string, partition int, at int64, committed bool) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	r := &listoffsets.Request{ReplicaID: -1, Topics: []listoffsets.RequestTopic{{Topic: topic,
		Partitions: []listoffsets.RequestPartition{{Partition: int32(partition), CurrentLeaderEpoch: -1, Timestamp: at}}}}}
	if committed {
		r.IsolationLevel = readCommited
	}
	client := b.Client()
	m, err := client.Transport.RoundTrip(ctx, client.Addr, r)
	if err != nil {
		return 0, err
	}
	answer, ok := m.(*listoffsets.Response)
	if !ok || len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) != 1 {
		return 0, errNoAnswer
	}
	p := answer.Topics[0].Partitions[0]
	if p.ErrorCode != 0 {
		return 0, kafka.Error(p.ErrorCode)
	}
	return p.Offset, nil
}

// Passes reports whether an error of this package's functions passes by itself: a leader that moves, a broker or its
// connection that is away, a time-out.
func Passes(err error) bool {
	var code kafka.Error
	var routing *fetch.Error
	switch {
	case err == nil, errors.Is(err, ErrOutOfRange), errors.Is(err, errOld):
		return false
	case errors.As(err, &routing):
		return true
	case !errors.As(err, &code):
		return !errors.Is(err, errShort) && !errors.Is(err, errChecksum) && !errors.Is(err, errLarge)
	}
	return code == kafka.UnknownTopicOrPartition || code.Temporary()
}
