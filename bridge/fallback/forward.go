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
	// forwardTimeout is how long the intake log has for an input that is forwarded.
	forwardTimeout = 10 * time.Second
	// minPause and maxPause lie between two tries while the intake log is away.
	minPause, maxPause = 100 * time.Millisecond, 2 * time.Second
)

// Forward forwards what is in the queue until the context ends. It returns an error when the queue has failed.
func (l *Log) Forward(ctx context.Context) error {
	for pause := minPause; ; {
		err := l.forwardAll(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, bridge.ErrFailed):
			return err
		case err == nil:
			pause = minPause
			l.wait(ctx, nil)
		default:
			l.opts.Log.Debug("inputs in the queue wait for the intake log", zap.Int("inputs", l.Total()), zap.Error(err))
			l.wait(ctx, time.After(pause))
			pause = min(2*pause, maxPause)
		}
	}
}

// wait waits for more to forward or, after a failure, for the end of the pause.
func (l *Log) wait(ctx context.Context, pause <-chan time.Time) {
	more := l.wake
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
func (l *Log) forwardAll(ctx context.Context) error {
	stuck := make(map[any]error) // lanes of which nothing more is forwarded this time, and why
	for after := uint64(0); ctx.Err() == nil; {
		inputs, err := l.opts.Queue.Read(after, readAtOnce)
		if err != nil {
			return fmt.Errorf("%w: read the queue of inputs: %w", bridge.ErrFailed, err)
		}
		if len(inputs) == 0 {
			break
		}
		after = inputs[len(inputs)-1].Number
		if err := l.remove(l.forward(ctx, inputs, stuck)); err != nil {
			return err
		}
		if away(stuck) {
			break
		}
	}
	return errors.Join(slices.Collect(maps.Values(stuck))...)
}

// away reports whether the intake log is the reason that lanes are stuck, and not what it was given.
func away(stuck map[any]error) bool {
	for _, err := range stuck {
		if !bridge.IsRejected(err) {
			return true
		}
	}
	return false
}

// forward appends inputs to the intake log, different lanes at once and each lane in its order, but for lanes that are
// stuck. It returns those that the log has, and adds the lanes where it failed.
func (l *Log) forward(ctx context.Context, inputs []store.QueuedInput, stuck map[any]error) []store.QueuedInput {
	var mu sync.Mutex
	var all sync.WaitGroup
	var forwarded []store.QueuedInput
	lanes := byLane(inputs)
	maps.DeleteFunc(lanes, func(lane any, _ []store.QueuedInput) bool { return stuck[lane] != nil })
	for lane, waiting := range lanes {
		all.Go(func() {
			n, err := l.forwardLane(ctx, waiting)
			mu.Lock()
			defer mu.Unlock()
			forwarded = append(forwarded, waiting[:n]...)
			if err != nil {
				stuck[lane] = err
			}
		})
	}
	all.Wait()
	return forwarded
}

// forwardLane appends inputs of one lane, and returns how many the log has.
func (l *Log) forwardLane(ctx context.Context, inputs []store.QueuedInput) (int, error) {
	for n, in := range inputs {
		attempt, cancel := context.WithTimeout(ctx, forwardTimeout)
		err := l.opts.Intake.Append(attempt, in.Partition, in.Input)
		cancel()
		if err != nil {
			return n, err
		}
	}
	return len(inputs), nil
}

// remove takes what was forwarded off the queue, and only then lets others of the partitions pass.
func (l *Log) remove(forwarded []store.QueuedInput) error {
	if len(forwarded) == 0 {
		return nil
	}
	if err := l.opts.Queue.Remove(context.Background(), forwarded); err != nil {
		return err
	}
	for _, in := range forwarded {
		l.count(in.Partition, -1)
	}
	return nil
}

// byLane groups inputs by what must stay in order: their lane, and where there is none their partition.
func byLane(inputs []store.QueuedInput) map[any][]store.QueuedInput {
	groups := make(map[any][]store.QueuedInput)
	for _, in := range inputs {
		var key any = in.Partition
		if decoded, err := processor.ReadInput(in.Input); err == nil && decoded.Arrival != nil {
			key = decoded.Arrival.Event.Lane
		}
		groups[key] = append(groups[key], in)
	}
	return groups
}
