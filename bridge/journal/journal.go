package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
	"livebridge/bridge/tally"
)

// Journal is the durable log and all that is kept in it. Its methods may be called by any number of goroutines.
type Journal struct {
	opts      Options
	mode      Mode
	store     *store.Store
	processor *processor.Processor // the writer's
	outbox    *outbox.Outbox
	queue     *queue
	metrics   *metrics
	clock     clock
	capacity  *capacity
	access    access

	quarantineLog *tally.QuarantineLog

	stopped  atomic.Bool
	closing  chan struct{} // closed by Close
	written  chan struct{} // closed when the writer has ended
	closed   sync.Once
	closeErr error
	requests sync.Pool

	background sync.WaitGroup // everything of a service but the writer
}

// Open opens the journal in opts.Dir, creates it if there is none, and takes up what the last run has left. It returns
// an error that wraps ErrInUse when another process has it open.
func Open(opts Options) (*Journal, error) {
	j, err := openJournal(opts, online)
	if err != nil {
		return nil, err
	}
	if err := j.metrics.register(opts.Registerer); err != nil {
		return nil, errors.Join(err, j.store.Discard())
	}
	opts.Log.Info("journal open", append(j.capacity.fields(), zap.String("dir", opts.Dir))...)
	j.capacity.logChange()
	w := newWriter(j)
	go w.run()
	j.background.Go(w.awaitSyncs)
	j.background.Go(func() { j.capacity.watch(j.closing) })
	return j, nil
}

// newJournal returns a journal that has locked its directory and not opened what is in there.
func newJournal(opts Options, m Mode) (j *Journal, err error) {
	j = &Journal{
		opts: opts, mode: m, queue: newQueue(), clock: startClock(opts.Wall), quarantineLog: tally.NewQuarantineLog(opts.Log),
		closing: make(chan struct{}), written: make(chan struct{}),
	}
	j.requests.New = func() any { return &request{done: make(chan error, 1)} }
	j.store, err = store.Lock(opts.storeOptions(m, j.clock.millis()))
	return j, err
}

// openJournal opens the store and loads what is kept in memory.
func openJournal(opts Options, m Mode) (*Journal, error) {
	j, err := newJournal(opts, m)
	if err != nil {
		return nil, err
	}
	j.capacity = newCapacity(&j.opts)
	if err = j.capacity.checkVolume(); err == nil || m != online {
		err = j.store.Open(j.capacity.total)
	}
	if err == nil {
		err = j.store.Isolate(j.load)
	}
	if err != nil {
		return nil, errors.Join(err, j.store.Discard())
	}
	return j, nil
}

// load takes up what the last run has left.
func (j *Journal) load() error {
	kept, err := j.store.Kept()
	if err == nil {
		j.processor, err = processor.New(j.opts.Processor(), j.store, j.store.Counters(), kept, j.clock.moment())
	}
	if err != nil {
		return fmt.Errorf("load the journal in %s: %w", j.opts.Dir, err)
	}
	j.outbox = outbox.New(outbox.Options{
		Backlog: j.store, Limit: j.opts.OutboxMemory, Depth: int(j.store.Rows().Entries), Committed: j.store.Committed(),
		WakeWriter: j.queue.wakeWriter, Background: j.store.Go, Fail: j.store.Fail, Published: j.publishedClock(),
	})
	j.capacity.setUsed(j.bytes())
	j.metrics = newMetrics(j)
	return nil
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
	case <-j.store.Failed():
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
	case j.Err() != nil:
		return bridge.ErrFailed
	case j.stopped.Load():
		return bridge.ErrStopping
	}
	return j.capacity.check()
}

// Outbox returns what waits for the broker. It is for the dispatcher.
func (j *Journal) Outbox() *outbox.Outbox { return j.outbox }

// Failed is closed when a write or sync has failed: nothing more is answered, and the program should end. Err tells
// why.
func (j *Journal) Failed() <-chan struct{} { return j.store.Failed() }

// Err returns the first failure, or nil.
func (j *Journal) Err() error { return j.store.Err() }

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
	j.store.Interrupt()
	<-j.written
	j.background.Wait()
	j.access.end()
	return j.store.Close()
}

// bytes is what JOURNAL_MAX_BYTES limits.
func (j *Journal) bytes() uint64 { return j.store.Outbox().Bytes + j.processor.Counters().Bytes() }

// answer tells every callback of the commit that it is on disk.
func (j *Journal) answer(c *commit) {
	for _, r := range c.waiting {
		r.done <- nil
	}
	for _, fields := range c.quarantined {
		j.quarantineLog.Report(fields)
	}
}

// afterApply notes what the store shows after a commit.
func (j *Journal) afterApply(c *commit) {
	j.processor.Committed()
	j.outbox.Expanded(c.batch.Expanded())
	j.outbox.Removed(c.batch.Removed())
	j.capacity.setUsed(j.bytes())
	j.metrics.show(j)
}
