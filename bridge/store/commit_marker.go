package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// The commit marker is a file beside the store that names the last commit that was on disk. A flipped bit near the end
// of a log or a manifest looks to Pebble like a write that was cut off, and it would go on without what lies behind it:
// the marker tells the two apart. It follows every sync.
//
//	commit number(8, big-endian) │ CRC-32 of it(4)
//
// A marker whose checksum does not match was cut off itself, and says nothing.
const (
	MarkerName  = "LAST_COMMIT"
	markerBytes = 12
)

// openMarker opens the marker that writeMarker has made, for updateMarker.
func (s *Store) openMarker() (err error) {
	if s.marker, err = s.opts.FS.OpenReadWrite(s.markerPath(), vfs.WriteCategoryUnspecified); err != nil {
		return fmt.Errorf("open %s: %w", s.markerPath(), err)
	}
	return nil
}

// updateMarker names a commit that is on disk. The marker is not synced, since one that lags says less and nothing
// wrong: when the program is killed it is exact, when the power goes it is as old as what the system had not written
// back.
func (s *Store) updateMarker(commit uint64) error {
	if _, err := s.marker.WriteAt(markerValue(commit), 0); err != nil {
		return fmt.Errorf("write %s: %w", MarkerName, err)
	}
	return nil
}

func (s *Store) markerPath() string { return s.opts.FS.PathJoin(s.opts.Dir, MarkerName) }

func markerValue(commit uint64) []byte {
	value := binary.BigEndian.AppendUint64(make([]byte, 0, markerBytes), commit)
	return binary.BigEndian.AppendUint32(value, crc32.ChecksumIEEE(value))
}

// writeMarker makes a marker for the last commit, which is on disk, and syncs it.
func (s *Store) writeMarker() error {
	if s.opts.Access == ReadOnly {
		return nil
	}
	if err := s.createMarker(); err != nil {
		return fmt.Errorf("write %s: %w", s.markerPath(), err)
	}
	dir, err := s.opts.FS.OpenDir(s.opts.Dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (s *Store) createMarker() error {
	f, err := s.opts.FS.Create(s.markerPath(), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(markerValue(s.meta.commit))
	return errors.Join(err, f.Sync(), f.Close())
}

// checkMarker returns an error when the store has less than it had before.
func (s *Store) checkMarker() error {
	last, err := s.readMarker()
	if err != nil {
		return fmt.Errorf("read %s: %w", s.markerPath(), err)
	}
	if last > s.meta.commit {
		return fmt.Errorf("files are damaged: last commit was %d, found %d; "+
			"restore DATA_DIR, or remove %s to accept the loss", last, s.meta.commit, s.markerPath())
	}
	return nil
}

// readMarker returns the commit that the marker names. It is 0 when there is none, as in a journal that is being
// created, or when it was cut off.
func (s *Store) readMarker() (commit uint64, err error) {
	f, err := s.opts.FS.Open(s.markerPath())
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	value, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	if len(value) != markerBytes || crc32.ChecksumIEEE(value[:8]) != binary.BigEndian.Uint32(value[8:]) {
		return 0, nil
	}
	return binary.BigEndian.Uint64(value), nil
}
