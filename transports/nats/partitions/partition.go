package partitions

import "errors"

var errClosed = errors.New("it was closed")

// partition is one that this process owns. It implements bridge.Partition and bridge.PartitionProgress.
type partition struct {
	owned    *Partitions
	number   int
	cursor   cursor // as it was committed last
	sequence uint64 // of it
	slots    *slots
	intake   *intake
	broken   error // why it can be used no more
}

func newPartition(p *Partitions, number int, c cursor, sequence uint64) *partition {
	return &partition{owned: p, number: number, cursor: c, sequence: sequence, slots: newSlots()}
}

// Epoch implements bridge.PartitionProgress.
func (p *partition) Epoch() uint64 { return p.cursor.epoch }

// Behind implements bridge.PartitionProgress. Ticks count, a bundle that was not read yet counts as one, and what came
// since the last message was sent does not count.
func (p *partition) Behind() uint64 { return p.intake.behind }

// Close implements bridge.Partition.
func (p *partition) Close() error {
	p.intake.close()
	if p.broken == nil {
		p.broken = errClosed
	}
	return nil
}
