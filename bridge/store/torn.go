package store

import (
	"encoding/binary"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/wal"
	"go.uber.org/zap"
)

// A log is blocks of 32 KiB, which hold chunks; none crosses a block.
//
//	checksum(4) length(2) type(1) log(4) [ sync offset(8) ] │ data
//
// The type tells the form of the head; log is the number of the log, by which what a reused file held before is known.
const (
	logBlock   = 32 << 10
	chunkHead  = 11
	syncedHead = 19
	syncedType = 9 // the first of the types with a sync offset
)

// logTorn logs how much of a log lies behind the end that it could be read to, and is left out: what a crash has cut
// off, which was never answered, or what has been damaged since. Where commits are missing that were answered, the
// commit marker tells (see commit_marker.go).
func (s *Store) logTorn(end wal.Offset) {
	bytes, chunks, err := s.torn(end)
	if err == nil && chunks == 0 {
		return
	}
	s.opts.Log.Warn("journal log has a torn or corrupt end; discarding it",
		zap.String("file", end.PhysicalFile), zap.Int64("offset", end.Physical),
		zap.Int("bytes", bytes), zap.Int("chunks", chunks), zap.Error(err))
}

// torn counts the chunks of this log behind the end.
func (s *Store) torn(end wal.Offset) (bytes, chunks int, err error) {
	number, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(end.PhysicalFile), ".log"), 10, 64)
	if err != nil {
		return 0, 0, err
	}
	f, err := s.opts.FS.Open(end.PhysicalFile)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var head [syncedHead]byte
	for at := end.Physical; ; {
		if left := logBlock - at%logBlock; left < chunkHead {
			at += left
		}
		if n, readErr := f.ReadAt(head[:], at); n < chunkHead {
			if errors.Is(readErr, io.EOF) {
				readErr = nil
			}
			return bytes, chunks, readErr
		}
		if head[6] == 0 || uint64(binary.LittleEndian.Uint32(head[7:])) != number {
			return bytes, chunks, nil
		}
		size := chunkHead + int(binary.LittleEndian.Uint16(head[4:]))
		if head[6] >= syncedType {
			size += syncedHead - chunkHead
		}
		bytes, chunks, at = bytes+size, chunks+1, at+int64(size)
	}
}
