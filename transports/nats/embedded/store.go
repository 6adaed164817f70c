package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// store makes the files of the embedded server durable. The server writes a message to its file before it acknowledges
// it (in the default persist mode), but syncs only every few minutes. A sync of a file covers everything that any
// process has written to it before.
//
//	DATA_DIR/nats/                      dir
//	  state.json                        ours, see state
//	  jetstream/LIVE/streams/NAME/      the server's
//	    meta.inf, meta.sum              the stream's configuration, written when it changes
//	    msgs/N.blk                      messages; append-only, removed by the limits
//	    msgs/index.db                   index of the blocks; not trusted after a crash, see prepare
//	    obs/NAME/                       a consumer's configuration and position
type store struct {
	dir    string
	mu     sync.Mutex
	synced map[string]fileStamp
	failed error
	sync   func(path string) error
}

// fileStamp is the state of a file before it was synced.
type fileStamp struct {
	size     int64
	modified time.Time
}

func newStore(dir string, sync func(path string) error) *store {
	if sync == nil {
		sync = syncPath
	}
	return &store{dir: dir, synced: make(map[string]fileStamp), sync: sync}
}

// syncError is a failed sync: what was written before may be lost.
type syncError struct{ error }

// Unwrap returns the cause.
func (e *syncError) Unwrap() error { return e.error }

// checkpoint syncs every file and directory that has changed since the last call. After a failed sync it fails for
// good: the kernel may have dropped what it could not write, and a second sync would not report that. When a file could
// not even be opened, the next call tries again.
func (s *store) checkpoint() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return s.failed
	}
	seen := make(map[string]fileStamp, len(s.synced))
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = s.syncIfChanged(path, entry, seen)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed in the meantime by the stream's limits
		}
		return err
	})
	var lost *syncError
	switch {
	case errors.As(err, &lost):
		s.failed = fmt.Errorf("sync the embedded NATS server's store: %w", err)
		return s.failed
	case err != nil:
		return fmt.Errorf("read the embedded NATS server's store: %w", err)
	}
	s.synced = seen
	return nil
}

// syncIfChanged syncs a path that has changed. It reads the stamp before the sync, so that the next call covers what is
// written meanwhile.
func (s *store) syncIfChanged(path string, entry fs.DirEntry, seen map[string]fileStamp) error {
	if filepath.Base(path) == indexFile || filepath.Ext(path) == ".tmp" {
		return nil
	}
	info, err := entry.Info()
	if err != nil {
		return err
	}
	now := fileStamp{size: info.Size(), modified: info.ModTime()}
	if time.Since(now.modified) > timestampGranularity {
		seen[path] = now
	}
	if s.synced[path] == now {
		return nil
	}
	return s.sync(path)
}

// timestampGranularity exceeds the granularity of any file system's timestamps: a file that has just changed may change
// again without a new timestamp, and is synced the next time too.
const timestampGranularity = 2 * time.Second

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return &syncError{err}
	}
	return nil
}
