package processor

import (
	"crypto/sha256"

	"livebridge/bridge"
)

// PieceBytes is about how much goes into a piece of memory: what every log takes, and every broker as one row of the
// state. A single entry of a review queue may be larger.
const PieceBytes = 256 << 10

// Packer gathers what is remembered into pieces.
type Packer struct {
	salt  [16]byte
	put   func(*Memory) error
	piece Memory
	bytes int
}

// NewPacker returns a packer that gives pieces to put, which may keep them. Equal pieces with the same salt have the
// same ID; the salt is drawn for each time that a memory goes somewhere.
func NewPacker(salt [16]byte, put func(*Memory) error) *Packer { return &Packer{salt: salt, put: put} }

// Add adds what a memory has, which is little.
func (p *Packer) Add(m *Memory) error {
	n := m.Bytes()
	if p.bytes+n > PieceBytes {
		if err := p.Flush(); err != nil {
			return err
		}
	}
	p.bytes += n
	p.piece.Floor = max(p.piece.Floor, m.Floor)
	p.piece.Lanes = append(p.piece.Lanes, m.Lanes...)
	p.piece.Identities = append(p.piece.Identities, m.Identities...)
	p.piece.Signatures = append(p.piece.Signatures, m.Signatures...)
	p.piece.Quarantined = append(p.piece.Quarantined, m.Quarantined...)
	p.piece.DeadLetters = append(p.piece.DeadLetters, m.DeadLetters...)
	return nil
}

// Flush gives away the piece that was begun, if there is anything in it.
func (p *Packer) Flush() error {
	if p.bytes == 0 && p.piece.Floor == 0 {
		return nil
	}
	piece := p.piece
	p.piece, p.bytes = Memory{}, 0
	sum := sha256.Sum256(appendMemory(p.salt[:], &piece))
	piece.ID = bridge.ID(sum[:16])
	return p.put(&piece)
}
