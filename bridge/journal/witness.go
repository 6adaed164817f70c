package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// witness is a file beside the store that says which commit was on disk lately. A flipped bit near the end of a log or
// a manifest looks to Pebble like a write that was cut off, and it would go on without what lies behind it: the witness
// tells. It follows every sync, and holds the commit number(8) and a checksum(4); one that does not check was cut off
// itself, and says nothing.
const witness = "WITNESS"

const witnessBytes = 12

// openWitness opens the witness for follow. testify has made it.
func (j *Journal) openWitness() (err error) {
	path := j.opts.FS.PathJoin(j.opts.Dir, witness)
	if j.witness, err = j.opts.FS.OpenReadWrite(path, vfs.WriteCategoryUnspecified); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return nil
}

// follow has the witness say that a commit is on disk. That is not synced, since a witness that lags says less and
// nothing wrong: when the program is killed it is exact, when the power goes as old as what the system had not written
// yet.
func (j *Journal) follow(commit uint64) error {
	if _, err := j.witness.WriteAt(witnessValue(commit), 0); err != nil {
		return fmt.Errorf("write %s: %w", witness, err)
	}
	return nil
}

func witnessValue(commit uint64) []byte {
	value := binary.BigEndian.AppendUint64(make([]byte, 0, witnessBytes), commit)
	return binary.BigEndian.AppendUint32(value, crc32.ChecksumIEEE(value))
}

// testify writes the witness for the last commit, which is on disk, so that it is on disk too.
func (j *Journal) testify() error {
	if j.quiet == readOnly {
		return nil
	}
	if err := j.writeWitness(); err != nil {
		return err
	}
	dir, err := j.opts.FS.OpenDir(j.opts.Dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (j *Journal) writeWitness() error {
	path := j.opts.FS.PathJoin(j.opts.Dir, witness)
	f, err := j.opts.FS.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(witnessValue(j.meta.commit))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
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
		return fmt.Errorf("files are damaged: last commit was %d, found %d; "+
			"restore DATA_DIR, or remove %s to accept the loss",
			was, j.meta.commit, path)
	}
	return nil
}
