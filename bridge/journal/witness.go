package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// witness is a file beside the store that says which commit was on disk lately. A flipped bit near the end of a log or a
// manifest looks to Pebble like a write that was cut off, and it would go on without what lies behind it: the witness
// tells. It holds the commit number(8) and a checksum(4); one that does not check was cut off itself, and says nothing.
const witness = "WITNESS"

const witnessBytes = 12

// witnessEvery is how often the witness follows the commits of a run.
const witnessEvery = time.Second

// keepWitness has the witness follow until the journal closes. That is not synced, since a witness that lags says less and
// nothing wrong.
func (j *Journal) keepWitness() {
	ticker := time.NewTicker(witnessEvery)
	defer ticker.Stop()
	for told := uint64(0); ; {
		select {
		case <-ticker.C:
		case <-j.failed:
			return
		case <-j.closing:
			return
		}
		synced := j.outbox.lastSynced()
		if synced == told {
			continue
		}
		if err := j.writeWitness(witness+".new", synced, false); outOfFiles(err) {
			continue // it lags until there is a file descriptor
		} else if err != nil {
			j.fail(err)
			return
		}
		fs := j.opts.FS
		if err := fs.Rename(fs.PathJoin(j.opts.Dir, witness+".new"), fs.PathJoin(j.opts.Dir, witness)); err != nil {
			j.fail(fmt.Errorf("write %s: %w", witness, err))
			return
		}
		told = synced
	}
}

// testify writes the witness for the last commit, which is on disk, so that it is on disk too.
func (j *Journal) testify() error {
	if j.quiet == readOnly {
		return nil
	}
	if err := j.writeWitness(witness, j.meta.commit, true); err != nil {
		return err
	}
	dir, err := j.opts.FS.OpenDir(j.opts.Dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (j *Journal) writeWitness(name string, commit uint64, sync bool) error {
	path := j.opts.FS.PathJoin(j.opts.Dir, name)
	value := binary.BigEndian.AppendUint64(nil, commit)
	value = binary.BigEndian.AppendUint32(value, crc32.ChecksumIEEE(value))
	f, err := j.opts.FS.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(value)
	if sync {
		err = errors.Join(err, f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
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
		return fmt.Errorf("its files are damaged: it had commit %d and ends with commit %d; restore DATA_DIR, or remove %s to go on without what is lost",
			was, j.meta.commit, path)
	}
	return nil
}
