package nats

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// store makes the file store of the embedded server durable. The server writes a message to its file before it
// acknowledges it, but syncs only every few minutes; a sync of a file covers what any process has written to it.
type store struct {
	dir    string
	mu     sync.Mutex
	synced map[string]stamp
	onSync func(path string, size int64) // a test's eye
}

// stamp is what a file looked like before it was synced.
type stamp struct {
	size     int64
	modified time.Time
}

func newStore(dir string) *store {
	return &store{dir: dir, synced: make(map[string]stamp), onSync: func(string, int64) {}}
}

// sync brings every file and directory that has changed since the last call to the disk.
func (s *store) sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := make(map[string]stamp)
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = s.visit(path, entry, seen)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed in the meantime, by the stream's limits
		}
		return err
	})
	if err == nil {
		s.synced = seen
	}
	return err
}

func (s *store) visit(path string, entry fs.DirEntry, seen map[string]stamp) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	now := stamp{size: info.Size(), modified: info.ModTime()}
	seen[path] = now
	if s.synced[path] == now {
		return nil
	}
	if err := syncPath(path); err != nil {
		return err
	}
	s.onSync(path, now.size)
	return nil
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
