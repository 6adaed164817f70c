// Package partitions takes, reads and commits the partitions of an intake on Kafka: an owner's commit is a transaction
// of events, rows of the state and the position in the intake.
package partitions

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/transports/kafka/producer"
	"livebridge/transports/kafka/transaction"
)

// Brokers are the connections to one cluster.
type Brokers interface {
	Client() *kafka.Client // for one request
	Renew()                // makes the next request use new connections and fresh metadata
}

// Options configure Partitions. All are required.
type Options struct {
	Brokers Brokers
	Log     *zap.Logger

	Output, Intake, State string // topics of as many partitions each
	Count                 int    // of partitions of each

	// TransactionalIDs begins the transactional id of every partition, which the partition's number ends.
	TransactionalIDs string
	// TransactionTimeout bounds how long a dead owner holds up the readers of committed records.
	TransactionTimeout time.Duration

	Binary      bool   // CloudEvents binary mode instead of structured mode
	Compression string // none, gzip, snappy, lz4 or zstd

	// Notices returns where the notices of a partition go, or why they can go nowhere now; nil: where its events go.
	Notices func(partition int) (Destination, error)

	OutputLimit func() int64                     // max.message.bytes of the output topic, in bytes; 0: unknown
	StateLimit  func() int64                     // of the state topic
	Tombstones  func() time.Duration             // how long the state topic keeps removed keys after compaction at least
	Processed   func(partition int, next uint64) // called after each commit; must not block
	Fenced      func()                           // called when a partition was lost to another owner; must not block

	// Ours asks whether the group counts this process as the owner of a partition; false: it does not, or it is not known.
	Ours func(ctx context.Context, partition int) bool
}

// Partitions are those of one intake. It implements bridge.Partitions and bridge.RestoreProgress.
type Partitions struct {
	opts     Options
	encoder  *producer.Encoder
	progress []progress // of the last Take of each
}

// New returns the partitions of an intake.
func New(o Options) (*Partitions, error) {
	e, err := producer.NewEncoder(o.Binary, o.Compression)
	return &Partitions{opts: o, encoder: e, progress: make([]progress, o.Count)}, err
}

// Take implements bridge.Partitions. Nothing is read before the fence: a transaction that the owner before has ended
// may still lack its markers, and a position that was read without them is too early.
func (p *Partitions) Take(ctx context.Context, number int, from uint64,
	put func([]bridge.Row, uint64) error) (bridge.Partition, error) {
	if err := p.check(number); err != nil {
		return nil, err
	}
	id := fmt.Sprint(p.opts.TransactionalIDs, number)
	txn, err := transaction.Init(ctx, p.opts.Brokers, p.encoder, id, p.opts.TransactionTimeout)
	if err != nil {
		return nil, p.failed(number, err)
	}
	r := p.restore(number, put)
	r.progress = &p.progress[number]
	if err := r.run(ctx, from); err != nil {
		txn.Close(ctx)
		return nil, p.failed(number, err)
	}
	return newPartition(p, number, txn, r), nil
}

// State implements bridge.Partitions.
func (p *Partitions) State(ctx context.Context, number int, from uint64, put func([]bridge.Row, uint64) error) error {
	if err := p.check(number); err != nil {
		return err
	}
	return p.failed(number, p.restore(number, put).run(ctx, from))
}

func (p *Partitions) check(number int) error {
	if number < 0 || number >= p.opts.Count {
		return fmt.Errorf("topic %s has no partition %d", p.opts.Intake, number)
	}
	return nil
}

func (p *Partitions) failed(number int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("partition %d of %s: %w", number, p.opts.Intake, err)
}
