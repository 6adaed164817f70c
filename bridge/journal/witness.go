package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// witness is a file beside the store that says which commit was on disk at the last start or end of a run. A flipped bit
// near the end of a log or a manifest looks to Pebble like a write that was cut off, and it would go on without what lies
// behind it: the witness tells. It holds the commit number(8) and a checksum(4); one that does not check was cut off
// itself, and says nothing.
const witness = "WITNESS"

const witnessBytes = 12

// testify writes the witness for the last commit, which is on disk.
func (j *Journal) testify() error {
	if j.quiet == readOnly {
		return nil
	}
	fs, path := j.opts.FS, j.opts.FS.PathJoin(j.opts.Dir, witness)
	value := binary.BigEndian.AppendUint64(nil, j.meta.commit)
	value = binary.BigEndian.AppendUint32(value, crc32.ChecksumIEEE(value))
	f, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(value)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	dir, err := fs.OpenDir(j.opts.Dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// hearWitness returns an error when the store has less than it had before.
func (j *Journal) hearWitness() error {
	path := j.opts.FS.PathJoin(j.opts.Dir, witness)
	f, err := j.opts.FS.Open(path)
	if err != nil {
		return nil // a journal that never had one
	}
	value, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if len(value) != witnessBytes || crc32.ChecksumIEEE(value[:8]) != binary.BigEndian.Uint32(value[8:]) {
		return nil
	}
	if was := binary.BigEndian.Uint64(value); was > j.meta.commit {
		return fmt.Errorf("its files are damaged: it had commit %d and ends with commit %d; restore DATA_DIR, or remove %s to go on without what is lost",
			was, j.meta.commit, path)
	}
	return nil
}
