package fallback

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

const (
	// readAtOnce is how many inputs are read and forwarded together.
	readAtOnce = 512
	// forwardTimeout is how long the intake has for an input that is forwarded.
	forwardTimeout = 10 * time.Second
	// minPause and maxPause lie between two tries while the intake is away.
	minPause, maxPause = 100 * time.Millisecond, 2 * time.Second
)

// Forward forwards what is in the queue until the context ends. It returns an error when the queue has failed.
func (j *Journal) Forward(ctx context.Context) error {
	for pause := minPause; ; {
		err := j.forwardAll(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, bridge.ErrFailed):
			return err
		case err == nil:
			pause = minPause
			j.wait(ctx, nil)
		default:
			j.opts.Log.Debug("callbacks in the queue wait for the intake", zap.Int("callbacks", j.Total()), zap.Error(err))
			j.wait(ctx, time.After(pause))
			pause = min(2*pause, maxPause)
		}
	}
}

// wait waits for more to forward or, after a failure, for the end of the pause.
func (j *Journal) wait(ctx context.Context, pause <-chan time.Time) {
	more := j.wake
	if pause != nil {
		more = nil
	}
	select {
	case <-more:
	case <-pause:
	case <-ctx.Done():
	}
}

// forwardAll goes through the queue once, and returns why some of it is still there.
func (j *Journal) forwardAll(ctx context.Context) error {
	stuck := make(map[string]error) // streams of which nothing more is forwarded this time, and why
	for after := uint64(0); ctx.Err() == nil; {
		inputs, err := j.opts.Queue.Read(after, readAtOnce)
		if err != nil {
			return fmt.Errorf("%w: read the queue of callbacks: %w", bridge.ErrFailed, err)
		}
		if len(inputs) == 0 {
			break
		}
		after = inputs[len(inputs)-1].Number
		streams, err := byStream(inputs)
		if err != nil {
			return err
		}
		if err := j.remove(j.forward(ctx, streams, stuck)); err != nil {
			return err
		}
		if away(stuck) {
			break
		}
	}
	return errors.Join(slices.Collect(maps.Values(stuck))...)
}

// away reports whether the intake is the reason that streams are stuck, and not what it was given.
func away(stuck map[string]error) bool {
	for _, err := range stuck {
		if !bridge.IsRejected(err) {
			return true
		}
	}
	return false
}

// queued is a callback in the queue.
type queued struct {
	store.QueuedInput
	arrival *bridge.Arrival
}

// byStream groups callbacks by their streams.
func byStream(inputs []store.QueuedInput) (map[string][]queued, error) {
	streams := make(map[string][]queued)
	for _, in := range inputs {
		a, err := readArrival(in.Input)
		if err != nil {
			return nil, err
		}
		streams[streamOf(a)] = append(streams[streamOf(a)], queued{in, a})
	}
	return streams, nil
}

// readArrival reads what Append has queued.
func readArrival(input []byte) (*bridge.Arrival, error) {
	in, err := processor.ReadInput(input)
	if err == nil && in.Arrival == nil {
		err = errors.New("it is no callback")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: read a callback of the queue: %w", bridge.ErrFailed, err)
	}
	return in.Arrival, nil
}

// forward appends callbacks to the intake, different streams at once and each in its order, but for streams that are
// stuck. It returns those that the intake has, and adds the streams where it failed.
func (j *Journal) forward(ctx context.Context, streams map[string][]queued, stuck map[string]error) []queued {
	var mu sync.Mutex
	var all sync.WaitGroup
	var forwarded []queued
	maps.DeleteFunc(streams, func(stream string, _ []queued) bool { return stuck[stream] != nil })
	for stream, waiting := range streams {
		all.Go(func() {
			n, err := j.forwardStream(ctx, waiting)
			mu.Lock()
			defer mu.Unlock()
			forwarded = append(forwarded, waiting[:n]...)
			if err != nil {
				stuck[stream] = err
			}
		})
	}
	all.Wait()
	return forwarded
}

// forwardStream appends callbacks of one stream, and returns how many the intake has.
func (j *Journal) forwardStream(ctx context.Context, waiting []queued) (int, error) {
	for n, q := range waiting {
		attempt, cancel := context.WithTimeout(ctx, forwardTimeout)
		err := j.opts.Intake.Append(attempt, q.arrival)
		cancel()
		if err != nil {
			return n, err
		}
	}
	return len(waiting), nil
}

// remove takes what was forwarded off the queue, and only then lets others of the streams pass.
func (j *Journal) remove(forwarded []queued) error {
	if len(forwarded) == 0 {
		return nil
	}
	inputs := make([]store.QueuedInput, 0, len(forwarded))
	for _, q := range forwarded {
		inputs = append(inputs, q.QueuedInput)
	}
	if err := j.opts.Queue.Remove(context.Background(), inputs); err != nil {
		return err
	}
	for _, q := range forwarded {
		j.count(streamOf(q.arrival), -1)
	}
	return nil
}
