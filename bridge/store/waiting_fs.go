package store

import (
	"errors"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"
)

const (
	// filesRetry is how long the journal waits for a file descriptor before it tries again.
	filesRetry = 200 * time.Millisecond
	// filesRemind is how often it says so.
	filesRemind = 10 * time.Second
)

// waitingFS waits where the process, or the machine, has too many open files: nothing was written then, so nothing is
// lost by it, while to Pebble a log that cannot be opened is the end.
type waitingFS struct {
	vfs.FS
	log        *zap.Logger
	closing    <-chan struct{} // ends the waiting
	failed     <-chan struct{} // likewise
	lastLogged atomic.Int64    // when it was said last, in Unix nanoseconds
}

// Unwrap implements vfs.FS.
func (f *waitingFS) Unwrap() vfs.FS { return f.FS }

// Create implements vfs.FS.
func (f *waitingFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return untilOpened(f, func() (vfs.File, error) { return f.FS.Create(name, c) })
}

// Open implements vfs.FS.
func (f *waitingFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	return untilOpened(f, func() (vfs.File, error) { return f.FS.Open(name, opts...) })
}

// OpenReadWrite implements vfs.FS.
func (f *waitingFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return untilOpened(f, func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, opts...) })
}

// OpenDir implements vfs.FS.
func (f *waitingFS) OpenDir(name string) (vfs.File, error) {
	return untilOpened(f, func() (vfs.File, error) { return f.FS.OpenDir(name) })
}

// ReuseForWrite implements vfs.FS. It renames first, so what is left to do after a failure is to open the new name.
func (f *waitingFS) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(oldname, newname, c)
	if outOfFiles(err) && f.pause(err) {
		return f.OpenReadWrite(newname, c)
	}
	return file, err
}

// List implements vfs.FS.
func (f *waitingFS) List(dir string) ([]string, error) {
	return untilOpened(f, func() ([]string, error) { return f.FS.List(dir) })
}

// untilOpened tries until there is a file descriptor.
func untilOpened[Result any](f *waitingFS, try func() (Result, error)) (Result, error) {
	result, err := try()
	for outOfFiles(err) && f.pause(err) {
		result, err = try()
	}
	return result, err
}

// pause waits for a moment. False: the journal is closing or has failed.
func (f *waitingFS) pause(err error) bool {
	now := time.Now().UnixNano()
	if last := f.lastLogged.Load(); now-last > int64(filesRemind) && f.lastLogged.CompareAndSwap(last, now) {
		f.log.Error("journal blocked: no file descriptor available; raise the limit on open files (ulimit -n)",
			zap.Error(err))
	}
	select {
	case <-time.After(filesRetry):
		return true
	case <-f.closing:
		return false
	case <-f.failed:
		return false
	}
}

// outOfFiles reports whether a file could not be opened because the process, or the machine, has too many open.
func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
