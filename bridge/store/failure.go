package store

import (
	"fmt"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"
)

// failure is the first write, sync or check that failed. From then on nothing more is promised: it is not tried again,
// since what the disk has of it is not known.
type failure struct {
	log    *zap.Logger
	once   sync.Once
	err    atomic.Pointer[error]
	failed chan struct{} // closed after it
}

// Fail makes the first failure known.
func (f *failure) Fail(err error) {
	f.once.Do(func() {
		f.err.Store(&err)
		close(f.failed)
		f.log.Error("the journal has failed; restart the program to recover", zap.Error(err))
	})
}

// Failed is closed when a write or sync has failed.
func (f *failure) Failed() <-chan struct{} { return f.failed }

// Err returns the first failure, or nil.
func (f *failure) Err() error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}

// FailOnPanic, deferred, turns a panic of the store, which is how it says that some writes have failed, into a failure.
func (f *failure) FailOnPanic() {
	if p := recover(); p != nil {
		f.Fail(fmt.Errorf("panic: %v", p))
	}
}

// isolate calls f in a goroutine of its own, which may be ended or never come back, and returns f's error, or then the
// failure with what has failed.
func (f *failure) isolate(what string, call func() error) error {
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		defer f.FailOnPanic()
		ended <- call()
	}()
	select {
	case err, returned := <-ended:
		if returned {
			return err
		}
	case <-f.failed:
	}
	return fmt.Errorf("%s: %w", what, f.Err())
}
