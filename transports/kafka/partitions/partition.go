package partitions

import (
	"context"
	"errors"
	"time"

	"livebridge/transports/kafka/transaction"
)

const (
	// closeTimeout bounds what Close asks the brokers for, which is only to make readers wait less.
	closeTimeout = time.Second
	// fencedTimeout bounds the question whose the partition is, which is only for the log.
	fencedTimeout = 2 * time.Second
)

var errClosed = errors.New("it was closed")

// partition is one that this process owns. It implements bridge.Partition and bridge.PartitionProgress.
type partition struct {
	owned  *Partitions
	number int
	txn    *transaction.Producer
	intake *intake
	state  uint64    // position in the state's own count, of the last commit
	ended  time.Time // when the end of the intake was last reached
	broken error     // why it can be used no more
}

func newPartition(p *Partitions, number int, txn *transaction.Producer, r *restore) *partition {
	return &partition{owned: p, number: number, txn: txn, state: r.next, intake: newIntake(p, number, r.position.next)}
}

// Epoch implements bridge.PartitionProgress: it is that of the transactional id.
func (p *partition) Epoch() uint64 { return uint64(p.txn.Epoch()) }

// Behind implements bridge.PartitionProgress.
func (p *partition) Behind() uint64 {
	return uint64(max(0, p.intake.known.Load()-int64(p.intake.next)))
}

// Close implements bridge.Partition.
func (p *partition) Close() error {
	p.intake.close()
	if p.broken == nil {
		p.broken = errClosed
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	p.txn.Close(ctx)
	return nil
}
