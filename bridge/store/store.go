package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// Options is what a store needs to know.
type Options struct {
	Dir          string // created 0700 if absent
	FS           FS
	Access       Access
	OpenFiles    int           // tables kept open; there are some files more for a moment
	MinFreeBytes uint64        // what stays free on the disk
	Created      bridge.Millis // the wall clock, for a store that is created now
	Log          *zap.Logger

	SessionEvents bool // lanes have their sessions

	// Of the history: how long published events are kept, 0: not at all, and how many bytes of them at the most.
	Keep      time.Duration
	KeepBytes uint64
}

// Access is what may be done with a store.
type Access int

// The kinds of access.
const (
	Service   Access = iota // a service runs on it; it is created where there is none
	ReadWrite               // an operator's commands are written, and nothing else
	ReadOnly                // nothing is written
)

// Store is a partition on disk. It is read by any number of goroutines and written by one.
type Store struct {
	failure
	opts   Options
	db     *pebble.DB
	opened bool // db may be used: the goroutine that opened it has come back
	lock   *pebble.Lock
	marker vfs.File // nil where no service runs

	meta           meta
	batches        eventBatches
	history        history
	pendingFrom    map[bridge.Lane]uint64 // where nothing may be written: what waits of lanes in event batches begins here
	identities     *existenceFilter
	signatures     *existenceFilter
	loadStarted    bool   // of the filters, or done with it
	lanesCursor    []byte // where IdleLanes goes on
	sessionsCursor []byte // likewise of UnendedLanes
	freed          uint64 // bytes deleted from outbox, history, quarantine and dead letters that the disk may still have
	compacting     atomic.Bool

	closing    chan struct{} // closed by Interrupt
	background sync.WaitGroup
}

// Lock creates the directory if there is none and locks it. Its store is not open yet. It returns an error that wraps
// ErrInUse when another process has it locked.
func Lock(opts Options) (*Store, error) {
	s := &Store{
		opts: opts, failure: failure{log: opts.Log, failed: make(chan struct{})}, closing: make(chan struct{}),
		identities: newExistenceFilter(tableIdentity), signatures: newExistenceFilter(tableSignature),
	}
	s.opts.FS = &waitingFS{FS: opts.FS, log: opts.Log, closing: s.closing, failed: s.failed}
	if err := s.opts.FS.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create DATA_DIR %s: %w", opts.Dir, err)
	}
	var err error
	if s.lock, err = pebble.LockDirectory(opts.Dir, s.opts.FS); err != nil {
		return nil, lockError(opts.Dir, err)
	}
	return s, nil
}

// Go calls f beside the work; the store is not closed before it has returned, and fails if it panics.
func (s *Store) Go(f func()) {
	s.background.Go(func() {
		defer s.FailOnPanic()
		f()
	})
}

// Isolate calls f in a goroutine of its own, which the store may end (see storeLog.Fatalf) or never let come back, and
// returns f's error, or then the failure.
func (s *Store) Isolate(f func() error) error { return s.isolate("the journal in "+s.opts.Dir, f) }

// Interrupt ends what waits for the disk and what reads beside the work. Close follows.
func (s *Store) Interrupt() { close(s.closing) }

// Close closes the store, whose writer has ended. After a failure it leaves the store as it is, for the next run to
// recover, and returns the failure.
func (s *Store) Close() error {
	s.background.Wait()
	var markerErr error
	if s.marker != nil {
		markerErr = s.marker.Close()
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("journal was not closed cleanly: %w", err)
	}
	closed := func() error { return errors.Join(s.expandPartial(), s.db.Close(), s.writeMarker()) }
	return errors.Join(markerErr, s.Isolate(closed), s.lock.Close())
}

// Discard closes a store that was locked, or opened too, and not written.
func (s *Store) Discard() error {
	if !s.opened {
		return s.lock.Close()
	}
	return errors.Join(s.Isolate(s.db.Close), s.lock.Close())
}

// Committed returns the number of the last commit.
func (s *Store) Committed() uint64 { return s.meta.commit }

// Counters returns the processor's counters as the store was opened with.
func (s *Store) Counters() processor.Counters {
	c := s.meta.counters
	c.Buckets = append([]processor.Bucket(nil), c.Buckets...)
	return c
}

// Rows returns what is in the outbox under its lanes, where the outbox finds it.
func (s *Store) Rows() processor.Usage { return s.meta.outbox }

// Outbox returns what is in the outbox.
func (s *Store) Outbox() processor.Usage { return s.meta.outbox.Plus(s.batches.usage) }

// DiskBytes returns what the store takes on disk.
func (s *Store) DiskBytes() uint64 { return s.db.Metrics().DiskSpaceUsage() }
