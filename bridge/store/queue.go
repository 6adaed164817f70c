package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"go.uber.org/zap"
)

// queueFormat is the version of a queue's keys and values. Under 'v' lies the version, under 'i' and a number (8 bytes,
// big-endian) the byte form of an input.
const queueFormat = "livebridge-intake 1"

const tableInput = 'i'

// QueueOptions is what a queue needs to know.
type QueueOptions struct {
	Dir          string // created 0700 if absent; nothing else lies in it
	FS           FS
	MaxBytes     uint64 // what the inputs may take
	MinFreeBytes uint64 // what stays free on the disk
	Log          *zap.Logger
}

// Queue keeps inputs on disk, first in, first out, until a broker has them. All methods may be called
// by any number of goroutines; all writes are made by one of its own, those that wait for it as one synced batch.
type Queue struct {
	failure
	opts     QueueOptions
	db       *pebble.DB
	room     room
	requests chan *queueWrite
	closing  chan struct{}
	ended    chan struct{} // closed when the writer has ended
	next     uint64        // number of the next input; the writer's
}

// QueuedInput is an input in a queue.
type QueuedInput struct {
	Number uint64 // its place: rises, and may have gaps
	Input  []byte // the byte form of a processor.Input
}

// OpenQueue opens the queue of a directory, which is created if there is none. It returns an error that wraps ErrInUse
// when another process has it open.
func OpenQueue(opts QueueOptions) (*Queue, error) {
	q := &Queue{
		failure: failure{log: opts.Log, failed: make(chan struct{})}, opts: opts,
		requests: make(chan *queueWrite, maxWritesTogether), closing: make(chan struct{}), ended: make(chan struct{}),
	}
	q.room = room{queue: q}
	if err := opts.FS.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create %s: %w", opts.Dir, err)
	}
	lock, err := pebble.LockDirectory(opts.Dir, opts.FS)
	if err != nil {
		return nil, lockError(opts.Dir, err)
	}
	if err := q.isolate("the queue", func() error { return q.open(lock) }); err != nil {
		return nil, errors.Join(fmt.Errorf("open the queue in %s: %w", opts.Dir, err), lock.Close())
	}
	go q.write(lock)
	return q, nil
}

func (q *Queue) open(lock *pebble.Lock) (err error) {
	fs := &waitingFS{FS: q.opts.FS, log: q.opts.Log, closing: q.closing, failed: q.failed}
	q.db, err = pebble.Open(q.opts.Dir, &pebble.Options{
		FS: fs, Lock: lock, Logger: queueLog{q}, FormatMajorVersion: pebble.FormatNewest, MemTableSize: 4 << 20,
		EventListener: &pebble.EventListener{BackgroundError: q.Fail},
	})
	if err != nil {
		return err
	}
	if err = errors.Join(q.checkFormat(), q.count()); err != nil {
		return errors.Join(err, q.db.Close())
	}
	return nil
}

func (q *Queue) checkFormat() error {
	value, closer, err := q.db.Get([]byte{tableVersion})
	if errors.Is(err, pebble.ErrNotFound) {
		return q.db.Set([]byte{tableVersion}, []byte(queueFormat), pebble.Sync)
	}
	if err != nil {
		return err
	}
	format := string(value)
	if err := closer.Close(); err != nil || format == queueFormat {
		return err
	}
	return fmt.Errorf("unsupported format %q (this version reads %q): use the livebridge version that wrote it, "+
		"or another DATA_DIR", format, queueFormat)
}

// count takes up what the last run has left.
func (q *Queue) count() error {
	return q.scan(0, func(in QueuedInput) bool {
		q.next = in.Number
		q.room.taken.Add(queuedBytes(in.Input))
		return true
	})
}

// scan calls f for each input above a number, in order, for as long as f returns true.
func (q *Queue) scan(after uint64, f func(QueuedInput) bool) error {
	it, err := q.db.NewIter(&pebble.IterOptions{LowerBound: inputKey(after + 1), UpperBound: []byte{tableInput + 1}})
	if err != nil {
		return err
	}
	for more := it.First(); more; more = it.Next() {
		in, err := readQueued(it.Key(), it.Value())
		if err != nil {
			return errors.Join(err, it.Close())
		}
		if !f(in) {
			break
		}
	}
	return errors.Join(it.Error(), it.Close())
}

// Read returns the inputs above a number, in order, most of them at once.
func (q *Queue) Read(after uint64, most int) (inputs []QueuedInput, err error) {
	err = q.scan(after, func(in QueuedInput) bool {
		inputs = append(inputs, in)
		return len(inputs) < most
	})
	return inputs, err
}

// Bytes returns what the inputs take.
func (q *Queue) Bytes() uint64 { return q.room.taken.Load() }

// Close closes the queue. What waits to be written is written before. After a failure it returns the failure.
func (q *Queue) Close() error {
	close(q.closing)
	select {
	case <-q.ended:
		return q.Err()
	case <-q.failed:
		return fmt.Errorf("the queue in %s was not closed cleanly: %w", q.opts.Dir, q.Err())
	}
}

func inputKey(number uint64) []byte { return binary.BigEndian.AppendUint64([]byte{tableInput}, number) }

// queuedBytes is what an input counts in MaxBytes: itself and its key.
func queuedBytes(input []byte) uint64 { return uint64(len(input)) + 16 }

// readQueued reads an input. It keeps nothing of key and value.
func readQueued(key, value []byte) (QueuedInput, error) {
	if len(key) != 9 || len(value) == 0 {
		return QueuedInput{}, fmt.Errorf("the record %x of the queue is damaged", key)
	}
	return QueuedInput{Number: binary.BigEndian.Uint64(key[1:]), Input: append([]byte(nil), value...)}, nil
}

// queueLog passes Pebble's words on. What Pebble calls fatal is a write that failed: the queue fails with it.
type queueLog struct{ q *Queue }

// Infof is not passed on: it speaks of Pebble's own housekeeping.
func (queueLog) Infof(string, ...any) {}

// Errorf passes an error on.
func (l queueLog) Errorf(format string, args ...any) {
	l.q.opts.Log.Warn("queue of inputs", zap.String("message", fmt.Sprintf(format, args...)))
}

// Fatalf fails the queue and ends the goroutine.
func (l queueLog) Fatalf(format string, args ...any) { l.q.failAndExit(fmt.Errorf(format, args...)) }
