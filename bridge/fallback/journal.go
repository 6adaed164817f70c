package fallback

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// Intake is what the replicas share. Append returns nil once the callback is there durably; an error that is not
// IsRejected leaves that open.
type Intake interface {
	Append(ctx context.Context, a *bridge.Arrival) error
}

// Options is what a Journal needs to know.
type Options struct {
	Intake Intake
	Queue  *store.Queue  // closed by whoever has opened it, after Forward has returned
	Budget time.Duration // how long the intake has before a callback goes to the queue
	Log    *zap.Logger
}

// Journal takes callbacks for an intake and falls back to a queue on disk.
type Journal struct {
	opts   Options
	wake   chan struct{} // something was queued
	queued atomic.Uint64 // since the start

	mu      sync.Mutex
	waiting map[string]int // callbacks in the queue, by stream
	total   int
}

// New returns a journal that goes on with what the queue has.
func New(opts Options) (*Journal, error) {
	j := &Journal{opts: opts, wake: make(chan struct{}, 1), waiting: make(map[string]int)}
	for after := uint64(0); ; {
		inputs, err := opts.Queue.Read(after, readAtOnce)
		if err != nil || len(inputs) == 0 {
			j.signal()
			return j, err
		}
		for _, in := range inputs {
			a, err := readArrival(in.Input)
			if err != nil {
				return nil, err
			}
			j.count(streamOf(a), 1)
			after = in.Number
		}
	}
}

// Append returns nil once the callback is durable in the intake or in the queue.
func (j *Journal) Append(ctx context.Context, a *bridge.Arrival) error {
	if j.Waiting(a.Event.Lane) == 0 {
		attempt, cancel := context.WithTimeout(ctx, j.opts.Budget)
		err := j.opts.Intake.Append(attempt, a)
		cancel()
		if err == nil || bridge.IsRejected(err) {
			return err
		}
	}
	return j.queue(ctx, a)
}

// queue counts a callback as waiting before it is there, so that nothing of its stream passes it.
func (j *Journal) queue(ctx context.Context, a *bridge.Arrival) error {
	stream := streamOf(a)
	j.count(stream, 1)
	err := j.opts.Queue.Add(ctx, processor.AppendInput(nil, &processor.Input{Action: processor.Arrive, Arrival: a}))
	if err != nil {
		j.count(stream, -1)
		return err
	}
	j.queued.Add(1)
	j.signal()
	return nil
}

func (j *Journal) count(stream string, change int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.total += change
	if j.waiting[stream] += change; j.waiting[stream] == 0 {
		delete(j.waiting, stream)
	}
}

func (j *Journal) signal() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Waiting returns how many callbacks of a lane's stream are in the queue.
func (j *Journal) Waiting(l bridge.Lane) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.waiting[string(l.PartitionKey())]
}

// Total returns how many callbacks are in the queue.
func (j *Journal) Total() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.total
}

// Queued returns how many callbacks have gone to the queue since the start.
func (j *Journal) Queued() uint64 { return j.queued.Load() }

// streamOf returns what must stay in order: all that could be a bent form of one signature is in one partition.
func streamOf(a *bridge.Arrival) string { return string(a.Event.Lane.PartitionKey()) }
