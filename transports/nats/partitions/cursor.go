package partitions

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// cursorForm is the version of the byte form of a cursor. The one before it had sequences for positions in the intake,
// of which each message was one input.
const (
	cursorForm       = 2
	cursorOfMessages = 1
)

// maxPieces bounds what is written down of a commit that is too large for one batch.
const maxPieces = 1000

var errCursor = errors.New("the cursor of the partition cannot be decoded")

// cursor is the last message of every batch. Its value is its form, a byte, and then, each as uvarint: epoch, owner,
// next, partitions, forgotten, pieces, done.
type cursor struct {
	epoch      uint64 // raised by each owner
	owner      uint64 // drawn by it
	next       uint64 // position in the intake that is read next
	partitions uint64 // of the intake
	forgotten  uint64 // removals of rows up to this sequence may be forgotten
	pieces     uint64 // in which a large commit is written down; 0: none is
	done       uint64 // messages of it that are committed
}

func (c *cursor) encode() []byte {
	b := []byte{cursorForm}
	for _, n := range [...]uint64{c.epoch, c.owner, c.next, c.partitions, c.forgotten, c.pieces, c.done} {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

func decodeCursor(b []byte) (c cursor, err error) {
	if len(b) == 0 || b[0] != cursorForm && b[0] != cursorOfMessages {
		return c, fmt.Errorf("%w: it is of an unknown form: upgrade livebridge", errCursor)
	}
	form := b[0]
	b = b[1:]
	fields := [...]*uint64{&c.epoch, &c.owner, &c.next, &c.partitions, &c.forgotten, &c.pieces, &c.done}
	for _, field := range fields {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			return cursor{}, errCursor
		}
		*field, b = n, b[size:]
	}
	if len(b) > 0 || c.epoch == 0 || c.partitions == 0 || c.partitions > 1<<20 || c.pieces > maxPieces {
		return cursor{}, errCursor
	}
	if form == cursorOfMessages {
		c.next <<= inputBits
	}
	return c, nil
}
