package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// markerName is a file beside the store that says which commit was on disk lately. A flipped bit near the end of a log or
// a manifest looks to Pebble like a write that was cut off, and it would go on without what lies behind it: the commit marker
// tells. It follows every sync, and holds the commit number(8) and a checksum(4); one that does not check was cut off
// itself, and says nothing.
const markerName = "WITNESS"

const markerBytes = 12

// openMarker opens the commit marker for follow. writeMarker has made it.
func (j *Journal) openMarker() (err error) {
	path := j.opts.FS.PathJoin(j.opts.Dir, markerName)
	if j.marker, err = j.opts.FS.OpenReadWrite(path, vfs.WriteCategoryUnspecified); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return nil
}

// updateMarker has the commit marker say that a commit is on disk. That is not synced, since a commit marker that lags says less and
// nothing wrong: when the program is killed it is exact, when the power goes as old as what the system had not written
// yet.
func (j *Journal) updateMarker(commit uint64) error {
	if _, err := j.marker.WriteAt(markerValue(commit), 0); err != nil {
		return fmt.Errorf("write %s: %w", markerName, err)
	}
	return nil
}

func markerValue(commit uint64) []byte {
	value := binary.BigEndian.AppendUint64(make([]byte, 0, markerBytes), commit)
	return binary.BigEndian.AppendUint32(value, crc32.ChecksumIEEE(value))
}

// writeMarker writes the commit marker for the last commit, which is on disk, so that it is on disk too.
func (j *Journal) writeMarker() error {
	if j.mode == readOnly {
		return nil
	}
	if err := j.createMarker(); err != nil {
		return err
	}
	dir, err := j.opts.FS.OpenDir(j.opts.Dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (j *Journal) createMarker() error {
	path := j.opts.FS.PathJoin(j.opts.Dir, markerName)
	f, err := j.opts.FS.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(markerValue(j.meta.commit))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// checkMarker returns an error when the store has less than it had before.
func (j *Journal) checkMarker() error {
	path := j.opts.FS.PathJoin(j.opts.Dir, markerName)
	f, err := j.opts.FS.Open(path)
	if err != nil {
		return nil // a journal that never had one
	}
	value, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if len(value) != markerBytes || crc32.ChecksumIEEE(value[:8]) != binary.BigEndian.Uint32(value[8:]) {
		return nil
	}
	if was := binary.BigEndian.Uint64(value); was > j.meta.commit {
		return fmt.Errorf("files are damaged: last commit was %d, found %d; "+
			"restore DATA_DIR, or remove %s to accept the loss",
			was, j.meta.commit, path)
	}
	return nil
}
