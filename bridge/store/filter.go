package store

import "encoding/binary"

// filter answers "surely not" for a set of 16-byte names that are evenly distributed, as digests are; else "maybe", for
// about 1 in 200 names that are not in it. It grows by pieces, each four times as large as the one before, and takes
// between 16 and 80 bits a name: every piece is one more to look into, and a false "maybe" costs a read of the store.
type filter struct{ pieces []*piece }

// piece is a Bloom filter of blocks: all bits of a name lie in one cache line.
type piece struct {
	blocks []block
	free   int // names it still takes
}

type block [8]uint64

const (
	blockBits  = 512
	bitsAName  = 16
	bitsSet    = 7
	firstBlock = 256
)

// add puts a name in.
func (f *filter) add(name [16]byte) {
	n := len(f.pieces)
	if n == 0 || f.pieces[n-1].free == 0 {
		blocks := firstBlock << (2 * n)
		f.pieces = append(f.pieces, &piece{blocks: make([]block, blocks), free: blocks * blockBits / bitsAName})
		n++
	}
	f.pieces[n-1].add(name)
}

// mayContain reports whether the name may be in.
func (f *filter) mayContain(name [16]byte) bool {
	for i := len(f.pieces) - 1; i >= 0; i-- {
		if f.pieces[i].mayContain(name) {
			return true
		}
	}
	return false
}

func (p *piece) add(name [16]byte) {
	b, bits := p.place(name)
	for range bitsSet {
		b[bits>>6&7] |= 1 << (bits & 63)
		bits >>= 9
	}
	p.free--
}

func (p *piece) mayContain(name [16]byte) bool {
	b, bits := p.place(name)
	for range bitsSet {
		if b[bits>>6&7]&(1<<(bits&63)) == 0 {
			return false
		}
		bits >>= 9
	}
	return true
}

// place returns the block of a name, and 63 bits that choose 7 places of 9 bits each in it.
func (p *piece) place(name [16]byte) (*block, uint64) {
	i := binary.LittleEndian.Uint64(name[:8]) % uint64(len(p.blocks))
	return &p.blocks[i], binary.LittleEndian.Uint64(name[8:])
}
