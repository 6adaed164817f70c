package partitions

import "errors"

var errClosed = errors.New("it was closed")

// partition is one that this process owns. It implements bridge.Partition.
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

// Close implements bridge.Partition.
func (p *partition) Close() error {
	p.intake.close()
	if p.broken == nil {
		p.broken = errClosed
	}
	return nil
}
