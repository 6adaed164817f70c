// Package committed reads the committed records of Kafka's partitions, which kafka-go cannot: its readers hand out what
// was aborted, and hide when a log has appended a record.
package committed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

// Brokers are the connections to one cluster.
type Brokers interface {
	Client() *kafka.Client // for one request
	Renew()                // makes the next request use new connections and fresh metadata
}

// ErrOutOfRange says that the log does not have the offset: it begins behind it, or ends before it.
var ErrOutOfRange = errors.New("the partition does not have the offset")

const (
	fetchBytes   = 4 << 20 // of a response, unless one batch is larger
	fetchTimeout = 10 * time.Second
	readCommited = 1
)

// Reader reads one partition. It is used by one goroutine.
type Reader struct {
	Brokers   Brokers
	Topic     string
	Partition int
	Next      int64 // offset of the next record
	End       int64 // offset behind the last record, as of the last answer
	Committed bool  // read no further than the first open transaction; else to the high watermark
}

// Fetch returns the next committed records and moves Next behind them and whatever was left out. It waits for them for
// the time given at most, and may return none although there are more. It asks once: an error says nothing more than
// that, and Passes tells those that pass.
func (r *Reader) Fetch(ctx context.Context, wait time.Duration) ([]Record, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+fetchTimeout)
	defer cancel()
	client := r.Brokers.Client()
	m, err := client.Transport.RoundTrip(ctx, client.Addr, r.request(wait))
	if err != nil {
		return nil, err
	}
	answer, ok := m.(*response)
	switch {
	case !ok:
		return nil, fmt.Errorf("unexpected response %T to a fetch request", m)
	case kafka.Error(answer.code) == kafka.OffsetOutOfRange:
		return nil, ErrOutOfRange
	case answer.code != 0:
		return nil, kafka.Error(answer.code)
	}
	r.End = answer.highWatermark
	return r.read(answer)
}

func (r *Reader) request(wait time.Duration) *request {
	f := &fetch.Request{
		ReplicaID: -1, MaxWaitTime: int32(wait.Milliseconds()), MinBytes: 1, MaxBytes: fetchBytes, SessionEpoch: -1,
		Topics: []fetch.RequestTopic{{Topic: r.Topic, Partitions: []fetch.RequestPartition{{
			Partition: int32(r.Partition), CurrentLeaderEpoch: -1, FetchOffset: r.Next, LogStartOffset: -1,
			PartitionMaxBytes: fetchBytes,
		}}}},
	}
	if r.Committed {
		f.IsolationLevel = readCommited
	}
	return &request{Request: f}
}

// read returns the records of a response.
func (r *Reader) read(answer *response) (out []Record, err error) {
	f, next, from := newFilter(answer.aborted), r.Next, r.Next
	for rest := answer.records; ; {
		var b *batch
		if b, rest, err = nextBatch(rest); b == nil {
			break
		}
		if f.visible(b) {
			err = b.each(func(record Record) {
				if record.Offset >= from {
					out = append(out, record)
				}
			})
		}
		if err != nil {
			break
		}
		next = max(next, b.last+1)
	}
	if err != nil {
		return nil, fmt.Errorf("topic %s, partition %d, from offset %d: %w", r.Topic, r.Partition, next, err)
	}
	r.Next = next
	return out, nil
}
