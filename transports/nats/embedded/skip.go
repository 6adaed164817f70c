package embedded

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/minio/highwayhash"
)

// A block with one record, with which the server continues above the record's sequence. The server writes the same
// block when a mirror skips sequences, but has no request for it.
//
//	 0  length of the record, 30       uint32, little-endian
//	 4  sequence, with the bit erased  uint64
//	12  time in nanoseconds            uint64
//	20  length of the subject, 0       uint16
//	22  HighwayHash-64 of 4 to 20, keyed by the stream's name and the block's number
const (
	skipRecordSize = 30
	skipHashed     = 4
	skipTime       = 12
	skipSubject    = 20
	skipHash       = 22
	erasedBit      = 1 << 63
)

// skipRecord returns the record that skips all sequences of a stream up to and including one.
func skipRecord(stream string, block int, sequence uint64, now time.Time) ([]byte, error) {
	record := make([]byte, skipHash, skipRecordSize)
	binary.LittleEndian.PutUint32(record, skipRecordSize)
	binary.LittleEndian.PutUint64(record[skipHashed:], sequence|erasedBit)
	binary.LittleEndian.PutUint64(record[skipTime:], uint64(now.UnixNano()))
	key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", stream, block))
	hash, err := highwayhash.New64(key[:])
	if err != nil {
		return nil, err
	}
	_, _ = hash.Write(record[skipHashed:skipSubject]) // never fails
	return hash.Sum(record), nil
}

// skipReserved makes every stream continue above what was reserved for it. A stream that is not there begins there when
// it is created, see beginReservations.
func (s *store) skipReserved(reserved map[string]uint64) error {
	for stream, sequence := range reserved {
		found, err := filepath.Glob(filepath.Join(s.dir, serverDir, "*", "streams", stream, "meta.inf"))
		for _, meta := range found {
			err = errors.Join(err, skip(filepath.Join(filepath.Dir(meta), "msgs"), stream, sequence))
		}
		if err != nil {
			return fmt.Errorf("stream %s: skip reserved sequences: %w", stream, err)
		}
	}
	return nil
}

// skip adds the block. It needs no sync: until a checkpoint has covered it, the next start adds another.
func skip(dir, stream string, sequence uint64) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	block, err := nextBlock(dir)
	if err != nil {
		return err
	}
	record, err := skipRecord(stream, block, sequence, time.Now())
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, fmt.Sprintf(blockName, block)), record, 0o640)
}

// blockName is the name of a block's file.
const blockName = "%d.blk"

// nextBlock returns the number above those of the blocks in a directory.
func nextBlock(dir string) (int, error) {
	next := 1
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return next, nil
	}
	for _, e := range entries {
		var n int
		if _, no := fmt.Sscanf(e.Name(), blockName, &n); no == nil {
			next = max(next, n+1)
		}
	}
	return next, err
}
