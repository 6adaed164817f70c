// Package transaction is a transactional producer for kafka-go, which has the requests of transactions but nothing that
// makes them.
package transaction

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/addpartitionstotxn"

	"livebridge/transports/kafka/producer"
)

// Brokers are the connections to one cluster.
type Brokers interface {
	Client() *kafka.Client // for one request
	Renew()                // makes the next request use new connections and fresh metadata
}

// Producer is the holder of a transactional id. It is used by one goroutine. After an error other than TooLarge it can
// commit no more.
type Producer struct {
	brokers Brokers
	encoder *producer.Encoder
	id      string

	number    int64 // the producer id
	epoch     int16
	timeout   time.Duration
	begun     time.Time        // the transaction that is open, or was last
	sequences map[target]int32 // of the next record of each partition
	open      bool             // the broker may have a transaction of ours that has not ended
	broken    error            // why nothing more can be committed
}

// target is one partition.
type target struct {
	topic     string
	partition int
}

// Init takes a transactional id: whoever held it can commit nothing any more, and what they had open is aborted.
// Brokers abort a transaction that lasts longer than the time-out. It asks until ctx ends. Only a rightful owner may
// call it.
func Init(ctx context.Context, b Brokers, e *producer.Encoder, id string, timeout time.Duration) (*Producer, error) {
	p := &Producer{brokers: b, encoder: e, id: id, timeout: timeout, sequences: make(map[target]int32)}
	err := p.repeat(ctx, "take the transactional id "+id, func(ctx context.Context) error {
		answer, err := b.Client().InitProducerID(ctx, &kafka.InitProducerIDRequest{
			TransactionalID: id, TransactionTimeoutMs: int(timeout.Milliseconds()), ProducerID: -1, ProducerEpoch: -1,
		})
		if err != nil {
			return err
		}
		if answer.Error == nil {
			p.number, p.epoch = int64(answer.Producer.ProducerID), int16(answer.Producer.ProducerEpoch)
		}
		return answer.Error
	})
	return p, err
}

// Epoch returns the epoch of the transactional id.
func (p *Producer) Epoch() int { return int(p.epoch) }

// Batch is records of one partition, encoded once: an attempt sends the same bytes as the one before.
type Batch struct {
	Topic     string
	Partition int
	Set       []byte // as Encoder.Encode writes it; stamped by Commit, and not to be used again
	Records   int

	Offset int64 // of the first record, after Commit; -1: the broker had it already and does not say where
}

func (b *Batch) target() target { return target{b.Topic, b.Partition} }

// TooLarge is the error of a commit of which the broker will never take one batch. Nothing was committed, and the
// producer can go on.
type TooLarge struct {
	Batch int // its index
	Err   error
}

// Error implements error.
func (t *TooLarge) Error() string { return t.Err.Error() }

// Unwrap returns the broker's error.
func (t *TooLarge) Unwrap() error { return t.Err }

// ErrEnded is the error of every call after one that has ended the producer.
var ErrEnded = errors.New("the transactional producer has ended")

// Commit commits all batches or none. An error that is not a TooLarge leaves it open which, unless it is ErrFenced.
func (p *Producer) Commit(ctx context.Context, batches []*Batch) error {
	if p.broken != nil {
		return fmt.Errorf("%w: %s", ErrEnded, p.broken.Error()) // which is not of this call's context
	}
	err := p.add(ctx, batches)
	if err == nil {
		err = p.produce(ctx, batches)
	}
	if err == nil {
		err = p.end(ctx, true)
	}
	var large *TooLarge
	if errors.As(err, &large) {
		if aborted := p.end(ctx, false); aborted != nil {
			err = aborted
		} else {
			return large
		}
	}
	p.broken = err
	return err
}

// add names the partitions to the coordinator.
func (p *Producer) add(ctx context.Context, batches []*Batch) error {
	r := &addpartitionstotxn.Request{TransactionalID: p.id, ProducerID: p.number, ProducerEpoch: p.epoch}
	named := make(map[target]bool)
	for _, b := range batches {
		if !named[b.target()] {
			named[b.target()] = true
			r.Topics = append(r.Topics, addpartitionstotxn.RequestTopic{Name: b.Topic,
				Partitions: []int32{int32(b.Partition)}})
		}
	}
	p.open, p.begun = true, time.Now()
	return p.repeat(ctx, "begin a transaction", func(ctx context.Context) error {
		client := p.brokers.Client()
		m, err := client.Transport.RoundTrip(ctx, client.Addr, r)
		if err != nil {
			return err
		}
		return added(m)
	})
}

// end ends the transaction.
func (p *Producer) end(ctx context.Context, commit bool) error {
	err := p.repeat(ctx, "end a transaction", func(ctx context.Context) error {
		answer, err := p.brokers.Client().EndTxn(ctx, &kafka.EndTxnRequest{
			TransactionalID: p.id, ProducerID: int(p.number), ProducerEpoch: int(p.epoch), Committed: commit,
		})
		if err == nil {
			err = answer.Error
		}
		return err
	})
	p.open = p.open && err != nil
	return err
}

// Close aborts what is open, as far as the brokers answer in time: readers then need not wait for the time-out.
func (p *Producer) Close(ctx context.Context) {
	if p.open && p.broken != nil {
		_ = p.end(ctx, false) // where it was committed, or another holds the id, this is refused and changes nothing
	}
	p.open = false
	if p.broken == nil {
		p.broken = context.Canceled
	}
}

// advance moves a partition's sequence behind a batch; brokers count modulo 2^31.
func (p *Producer) advance(b *Batch) {
	p.sequences[b.target()] = int32((int64(p.sequences[b.target()]) + int64(b.Records)) & math.MaxInt32)
}
