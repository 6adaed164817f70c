package store

import (
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// exhausted is a disk that has no file descriptor for anybody, for as long as it is told so.
func exhausted(err error) (vfs.FS, *atomic.Bool) {
	var empty atomic.Bool
	return errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(errorfs.Op) error {
		if empty.Load() {
			return err
		}
		return nil
	})), &empty
}

// ways are all the ways to get a file descriptor.
func ways(fs vfs.FS) map[string]func() error {
	closed := func(f vfs.File, err error) error {
		if err != nil {
			return err
		}
		return f.Close()
	}
	category := vfs.WriteCategoryUnspecified
	return map[string]func() error{
		"Create":        func() error { return closed(fs.Create("new", category)) },
		"Open":          func() error { return closed(fs.Open("old")) },
		"OpenReadWrite": func() error { return closed(fs.OpenReadWrite("old", category)) },
		"OpenDir":       func() error { return closed(fs.OpenDir("")) },
		"List":          func() error { _, err := fs.List(""); return err },
	}
}

// TestWaitsForADescriptor: whoever needs a file descriptor waits until there is one, says so seldom, and gets any other
// error at once.
func TestWaitsForADescriptor(t *testing.T) {
	for _, shortage := range []error{syscall.EMFILE, syscall.ENFILE} {
		synctest.Test(t, func(t *testing.T) {
			disk, empty := exhausted(shortage)
			core, logs := observer.New(zapcore.ErrorLevel)
			fs := &waitingFS{FS: disk, log: zap.New(core), closing: make(chan struct{}), failed: make(chan struct{})}
			if err := ways(fs)["Create"](); err != nil {
				t.Fatal(err)
			}
			if err := disk.Rename("new", "old"); err != nil {
				t.Fatal(err)
			}
			for name, way := range ways(fs) {
				empty.Store(true)
				begun, done := time.Now(), make(chan error)
				go func() { done <- way() }()
				time.Sleep(time.Minute)
				synctest.Wait()
				select {
				case err := <-done:
					t.Fatalf("%s did not wait: %v", name, err)
				default:
				}
				empty.Store(false)
				if err := <-done; err != nil || time.Since(begun) > time.Minute+filesRetry {
					t.Errorf("%s: %v after %v", name, err, time.Since(begun))
				}
			}
			if n := logs.Len(); n < 5 || n > 5*6+1 {
				t.Errorf("it says so %d times in 5 minutes", n)
			}
			if _, err := fs.Open("none"); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a file that is not there: %v", err)
			}
		})
	}
}

// TestWaitingEnds: nobody waits for a file descriptor once the store closes, or has failed.
func TestWaitingEnds(t *testing.T) {
	for _, failed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			disk, empty := exhausted(syscall.EMFILE)
			closing, failing := make(chan struct{}), make(chan struct{})
			fs := &waitingFS{FS: disk, log: zap.NewNop(), closing: closing, failed: failing}
			empty.Store(true)
			done := make(chan error)
			go func() { done <- ways(fs)["List"]() }()
			time.Sleep(time.Minute)
			if failed {
				close(failing)
			} else {
				close(closing)
			}
			if err := <-done; !errors.Is(err, syscall.EMFILE) {
				t.Errorf("failed %v: %v", failed, err)
			}
		})
	}
}
