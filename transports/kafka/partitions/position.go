package partitions

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// positionForm begins the value of the position. It is a record of its own in every commit, under the empty key, which
// no row has:
//
//	form        byte, 1
//	next        uvarint   position in the intake that is read next
//	partitions  uvarint   of the intake when it was written
const positionForm = 1

var errPosition = errors.New("the record of the position in the intake cannot be decoded")

// position is where an owner was in the intake.
type position struct {
	next       uint64
	partitions int
}

func (p position) encode() []byte {
	b := binary.AppendUvarint([]byte{positionForm}, p.next)
	return binary.AppendUvarint(b, uint64(p.partitions))
}

func decodePosition(b []byte) (p position, err error) {
	if len(b) == 0 || b[0] != positionForm {
		return p, fmt.Errorf("%w: it is of an unknown form: upgrade livebridge", errPosition)
	}
	next, n := binary.Uvarint(b[1:])
	if n <= 0 {
		return p, errPosition
	}
	count, m := binary.Uvarint(b[1+n:])
	if m <= 0 || 1+n+m != len(b) || count == 0 || count > 1<<20 {
		return p, errPosition
	}
	return position{next: next, partitions: int(count)}, nil
}
