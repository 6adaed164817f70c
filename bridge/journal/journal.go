package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
)

// Journal is the durable log and all that is kept in it. Its methods may be called by any number of
// goroutines.
type Journal struct {
	opts     Options
	db       *pebble.DB
	lock     *pebble.Lock
	metrics  *metrics
	clock    clock
	capacity *capacity
	marker   vfs.File // nil where no service runs

	queue  *queue
	outbox *outbox.Outbox

	// Only the writer touches these.
	meta       meta
	lanes      *lanes
	holds      holds
	dedupe     dedupeIndex
	signatures signatures
	batches    eventBatches
	quarantine *quarantineIndex

	quarantineLog *quarantineLog

	sweep       sweep
	freed       uint64 // bytes deleted from outbox, quarantine and dead letters that the disk may still have
	loadStarted bool   // or done with it

	mode   Mode
	access access

	compacting atomic.Bool // see reclaim

	stopped  atomic.Bool
	failure  atomic.Pointer[error]
	failed   chan struct{} // closed after the first failure
	failing  sync.Once
	closing  chan struct{} // closed by Close
	written  chan struct{} // closed when the writer has ended
	closed   sync.Once
	closeErr error
	requests sync.Pool

	background sync.WaitGroup // everything but the writer
}

// Open opens the journal in opts.Dir, creates it if there is none, and takes up what the last run has left. It returns
// an error that wraps ErrInUse when another process has it open.
func Open(opts Options) (*Journal, error) {
	j := newJournal(opts)
	if err := j.open(); err != nil {
		return nil, err
	}
	if err := j.metrics.register(opts.Registerer); err != nil {
		return nil, errors.Join(err, j.isolate(j.db.Close), j.lock.Close())
	}
	if err := j.openMarker(); err != nil {
		return nil, errors.Join(err, j.isolate(j.db.Close), j.lock.Close())
	}
	opts.Log.Info("journal open", append(j.capacity.fields(), zap.String("dir", opts.Dir))...)
	j.capacity.logChange()
	w := newWriter(j)
	go w.run()
	j.background.Go(w.awaitSyncs)
	j.background.Go(func() { j.capacity.watch(j.closing) })
	return j, nil
}

func newJournal(opts Options) *Journal {
	j := &Journal{
		opts: opts, queue: newQueue(), clock: startClock(opts.Wall),
		failed: make(chan struct{}), closing: make(chan struct{}), written: make(chan struct{}),
		quarantine: newQuarantineIndex(opts.QuarantineMax), quarantineLog: newQuarantineLog(opts.Log),
	}
	j.opts.FS = &waitingFS{FS: opts.FS, log: opts.Log, closing: j.closing, failed: j.failed}
	j.requests.New = func() any { return &request{done: make(chan error, 1)} }
	j.metrics = newMetrics(j)
	return j
}

// Append takes one callback and returns nil when it, and all that was decided about it, is on disk. It does not return
// before that because of ctx: what has been handed over will be written. Otherwise the error is bridge.ErrFull,
// ErrStopping or ErrFailed, and nothing of the callback is kept (with ErrFailed, that is not known).
func (j *Journal) Append(_ context.Context, a *bridge.Arrival) error {
	if err := j.Ready(); err != nil {
		return err
	}
	r := j.requests.Get().(*request)
	r.arrival = a
	j.queue.put(r)
	answered, err := j.await(r)
	if answered {
		r.arrival = nil
		j.requests.Put(r)
	}
	return err
}

// await waits until the writer has answered, or will not any more.
func (j *Journal) await(r *request) (answered bool, err error) {
	select {
	case err := <-r.done:
		return true, err
	case <-j.failed:
	case <-j.written: // behind the last answer, or a failure
		select {
		case err := <-r.done:
			return true, err
		default:
		}
	}
	if j.Err() != nil {
		return false, bridge.ErrFailed
	}
	return false, bridge.ErrStopping
}

// Ready returns nil when the journal accepts callbacks, else the error that Append would return.
func (j *Journal) Ready() error {
	switch {
	case j.failure.Load() != nil:
		return bridge.ErrFailed
	case j.stopped.Load():
		return bridge.ErrStopping
	}
	return j.capacity.check()
}

// Outbox returns what waits for the broker. It is for the dispatcher.
func (j *Journal) Outbox() *outbox.Outbox { return j.outbox }

// Pending returns how many emitted events the broker has not acknowledged.
func (j *Journal) Pending() int { return j.outbox.Pending() }

// Drained reports whether the broker has acknowledged every event of the outbox that was recorded at a moment or before
// it, whatever was emitted since.
func (j *Journal) Drained(at time.Time) bool { return j.outbox.Drained(at) }

// Failed is closed when a write or sync has failed: nothing more is answered, and the program should end. Err tells
// why.
func (j *Journal) Failed() <-chan struct{} { return j.failed }

// Err returns the first failure, or nil.
func (j *Journal) Err() error {
	if err := j.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Stop refuses further callbacks with bridge.ErrStopping; those under way are finished, holds stay.
func (j *Journal) Stop() { j.stopped.Store(true) }

// Close stops, writes what is under way and closes the store. After a failure it leaves the store as it is, for the
// next run to recover, and returns the failure. Further calls return what the first one did.
func (j *Journal) Close() error {
	j.closed.Do(func() { j.closeErr = j.close() })
	return j.closeErr
}

func (j *Journal) close() error {
	j.Stop()
	close(j.closing)
	<-j.written
	j.background.Wait()
	j.access.end()
	var markerErr error
	if j.marker != nil {
		markerErr = j.marker.Close()
	}
	if err := j.Err(); err != nil {
		return fmt.Errorf("journal was not closed cleanly: %w", err)
	}
	closed := func() error { return errors.Join(j.expandPartial(), j.db.Close(), j.writeMarker()) }
	return errors.Join(markerErr, j.isolate(closed), j.lock.Close())
}

// bytes is what JOURNAL_MAX_BYTES limits.
func (j *Journal) bytes() uint64 { return j.meta.bytes() + j.batches.usage.bytes }

// answer tells every callback of the commit that it is on disk.
func (j *Journal) answer(c *commit) {
	for _, r := range c.waiting {
		r.done <- nil
	}
	for _, fields := range c.quarantined {
		j.quarantineLog.report(fields)
	}
}

// afterApply notes what the store shows after a commit.
func (j *Journal) afterApply(c *commit) {
	j.lanes.unpin()
	j.outbox.Expanded(c.expanded)
	j.outbox.Removed(c.removed)
	j.capacity.setUsed(j.bytes())
	j.metrics.show(j)
}

// fail makes the first failure known. From here on nothing is answered.
func (j *Journal) fail(err error) {
	j.failing.Do(func() {
		j.failure.Store(&err)
		close(j.failed)
		j.opts.Log.Error("the journal has failed; restart the program to recover", zap.Error(err))
	})
}

// failOnPanic turns a panic of the store, which is how it says that some writes have failed, into a failure.
func (j *Journal) failOnPanic() {
	if p := recover(); p != nil {
		j.fail(fmt.Errorf("panic: %v", p))
	}
}

// inBackground calls f beside the work; the store is not closed before it has returned.
func (j *Journal) inBackground(f func()) {
	j.background.Go(func() {
		defer j.failOnPanic()
		f()
	})
}

// get returns a copy of a value that must be there.
func (j *Journal) get(key []byte) ([]byte, error) {
	value, closer, err := j.db.Get(key)
	if err != nil {
		return nil, err
	}
	value = append([]byte(nil), value...)
	return value, closer.Close()
}
