package fallback

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/store"
)

// Options is what a Log needs to know.
type Options struct {
	Intake bridge.IntakeLog
	Queue  *store.Queue  // closed by whoever has opened it, after Forward has returned
	Budget time.Duration // how long the intake has before an input goes to the queue
	Log    *zap.Logger
}

// Log is an intake log that falls back to a queue on disk.
type Log struct {
	opts Options
	wake chan struct{} // something was queued

	mu      sync.Mutex
	waiting map[int]int // inputs in the queue, by partition
}

// New returns a log that goes on with what the queue has.
func New(opts Options) (*Log, error) {
	l := &Log{opts: opts, wake: make(chan struct{}, 1), waiting: make(map[int]int)}
	for after := uint64(0); ; {
		inputs, err := opts.Queue.Read(after, readAtOnce)
		if err != nil || len(inputs) == 0 {
			l.signal()
			return l, err
		}
		for _, in := range inputs {
			l.waiting[in.Partition]++
			after = in.Number
		}
	}
}

// Partitions implements bridge.IntakeLog.
func (l *Log) Partitions() int { return l.opts.Intake.Partitions() }

// Append implements bridge.IntakeLog. It returns nil once the input is durable in the intake log or in the queue.
func (l *Log) Append(ctx context.Context, partition int, input []byte) error {
	if l.Waiting(partition) == 0 {
		attempt, cancel := context.WithTimeout(ctx, l.opts.Budget)
		err := l.opts.Intake.Append(attempt, partition, input)
		cancel()
		if err == nil || bridge.IsRejected(err) {
			return err
		}
	}
	return l.queue(ctx, partition, input)
}

// queue counts an input as waiting before it is there, so that nothing of its partition passes it.
func (l *Log) queue(ctx context.Context, partition int, input []byte) error {
	l.count(partition, 1)
	err := l.opts.Queue.Add(ctx, partition, input)
	if err != nil {
		l.count(partition, -1)
	}
	l.signal()
	return err
}

func (l *Log) count(partition, change int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting[partition] += change
}

func (l *Log) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Waiting returns how many inputs of a partition are in the queue.
func (l *Log) Waiting(partition int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting[partition]
}

// Total returns how many inputs are in the queue.
func (l *Log) Total() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, waiting := range l.waiting {
		n += waiting
	}
	return n
}
