package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
)

// maxWritesTogether is how many writes share a sync at most.
const maxWritesTogether = 1024

// queueWrite is one write that waits for the queue's writer: an input to add, or numbers to remove.
type queueWrite struct {
	partition int
	input     []byte
	remove    []QueuedInput
	written   chan error // of one
}

// Add returns once an input is on disk, behind all whose Add has returned before. Its errors wrap bridge.ErrFull where
// there is no room. An input whose context ends may have been added.
func (q *Queue) Add(ctx context.Context, partition int, input []byte) error {
	if err := q.room.check(); err != nil {
		return err
	}
	return q.submit(ctx, &queueWrite{partition: partition, input: input, written: make(chan error, 1)})
}

// Remove takes inputs off the queue. Those removed last may be there again after a crash.
func (q *Queue) Remove(ctx context.Context, inputs []QueuedInput) error {
	return q.submit(ctx, &queueWrite{remove: inputs, written: make(chan error, 1)})
}

func (q *Queue) submit(ctx context.Context, w *queueWrite) error {
	select {
	case q.requests <- w:
	case <-q.failed:
		return q.failedError()
	case <-q.closing:
		return bridge.ErrStopping
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-w.written:
		return err
	case <-q.failed:
		return q.failedError()
	case <-q.ended:
		return bridge.ErrStopping
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *Queue) failedError() error { return fmt.Errorf("%w: %w", bridge.ErrFailed, q.Err()) }

// write makes the writes until the queue closes.
func (q *Queue) write(lock *pebble.Lock) {
	defer q.FailOnPanic()
	for {
		select {
		case w := <-q.requests:
			q.commit(q.gather(w))
		case <-q.closing:
			for len(q.requests) > 0 {
				q.commit(q.gather(<-q.requests))
			}
			if err := errors.Join(q.db.Close(), lock.Close()); err != nil {
				q.failAndExit(err)
			}
			close(q.ended)
			return
		}
	}
}

// gather returns a write and those that wait behind it.
func (q *Queue) gather(first *queueWrite) []*queueWrite {
	writes := []*queueWrite{first}
	for len(writes) < maxWritesTogether && len(q.requests) > 0 {
		writes = append(writes, <-q.requests)
	}
	return writes
}

// commit makes writes as one batch. It is synced if it adds something.
func (q *Queue) commit(writes []*queueWrite) {
	batch, sync := q.db.NewBatch(), pebble.NoSync
	var added, removed uint64
	for _, w := range writes {
		if w.remove == nil {
			q.next, sync, added = q.next+1, pebble.Sync, added+queuedBytes(w.input)
			q.must(batch.Set(inputKey(q.next), appendQueued(nil, w.partition, w.input), nil))
		}
		for _, in := range w.remove {
			removed += queuedBytes(in.Input)
			q.must(batch.Delete(inputKey(in.Number), nil))
		}
	}
	q.must(batch.Commit(sync))
	q.must(batch.Close())
	q.room.taken.Add(added - removed)
	for _, w := range writes {
		w.written <- nil
	}
}

func (q *Queue) must(err error) {
	if err != nil {
		q.failAndExit(fmt.Errorf("write the queue of inputs: %w", err))
	}
}

func (q *Queue) failAndExit(err error) {
	q.Fail(err)
	runtime.Goexit()
}

// room tells whether there is room for more.
type room struct {
	queue    *Queue
	taken    atomic.Uint64 // by the inputs
	free     atomic.Uint64 // on the disk, when it was measured
	measured atomic.Int64  // in Unix nanoseconds
}

// measureEvery is how often the free space of the disk is read.
const measureEvery = 500 * time.Millisecond

// check returns nil or an error that wraps bridge.ErrFull.
func (r *room) check() error {
	opts := &r.queue.opts
	if taken := r.taken.Load(); taken >= opts.MaxBytes {
		return fmt.Errorf("%w: inputs that wait for the broker take %d bytes, JOURNAL_MAX_BYTES is %d",
			bridge.ErrFull, taken, opts.MaxBytes)
	}
	now, last := time.Now().UnixNano(), r.measured.Load()
	if now-last >= int64(measureEvery) && r.measured.CompareAndSwap(last, now) {
		free, _, err := Usage(opts.FS, opts.Dir)
		if err != nil {
			free = 0
		}
		r.free.Store(free)
	}
	if free := r.free.Load(); free < opts.MinFreeBytes {
		return fmt.Errorf("%w: the disk has %d bytes free, MIN_FREE_BYTES is %d", bridge.ErrFull, free, opts.MinFreeBytes)
	}
	return nil
}
