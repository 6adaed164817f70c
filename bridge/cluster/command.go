package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// How long an operator's command is waited for, and how often the state is asked for its result.
const (
	commandTimeout  = 30 * time.Second
	commandInterval = 20 * time.Millisecond
)

// ErrNoResult says that it is not known what became of a command: no owner has written its result in time.
var ErrNoResult = errors.New("the owner of the partition has not carried the command out in time; " +
	"it may do so later: list the queue before you give the command again")

// review is what this replica has read of the state of a partition for operators.
type review struct {
	mu sync.Mutex
	*store.Review
}

// read reads what was committed since, and calls f with it.
func (c *Cluster) read(ctx context.Context, partition int, f func(v *store.Review) error) error {
	v := c.reviews[partition]
	v.mu.Lock()
	defer v.mu.Unlock()
	err := c.opts.Partitions.State(ctx, partition, v.Position(), v.Apply)
	if gone(err) {
		v.Review = store.NewReview()
		err = c.opts.Partitions.State(ctx, partition, 0, v.Apply)
	}
	if err != nil {
		return fmt.Errorf("read the state of partition %d: %w", partition, err)
	}
	return f(v.Review)
}

// command has the owner of a partition carry an input out, whoever that is, and returns what became of it.
func (c *Cluster) command(ctx context.Context, partition int, in *processor.Input) (r store.CommandResult, err error) {
	var id commandID
	if _, err := rand.Read(id[:]); err != nil {
		return r, err
	}
	if err := c.opts.Intake.Append(ctx, partition, commandRecord(id, in)); err != nil {
		return r, fmt.Errorf("write the command into the intake log: %w", err)
	}
	ticker := time.NewTicker(commandInterval)
	defer ticker.Stop()
	for {
		var found bool
		err := c.read(ctx, partition, func(v *store.Review) error { r, found = v.Result(id); return nil })
		if found || err != nil {
			return r, err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return r, ErrNoResult
		}
	}
}

// clear has entries taken off a queue, each by the owner of its partition.
func (c *Cluster) clear(action processor.Action, q bridge.ReviewQueue, numbers []uint64) ([]bridge.Outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	byPartition := make(map[int][]uint64)
	for _, n := range numbers {
		partition, number := c.split(n)
		byPartition[partition] = append(byPartition[partition], number)
	}
	outcomes := make(map[uint64]bridge.Outcome)
	for partition, some := range byPartition {
		r, err := c.command(ctx, partition, &processor.Input{Action: action, Queue: q, Numbers: some})
		if err != nil {
			return nil, err
		}
		for _, o := range r.Outcomes {
			o.Number = c.join(partition, o.Number)
			outcomes[o.Number] = o
		}
	}
	all := make([]bridge.Outcome, 0, len(numbers))
	for _, n := range numbers {
		all = append(all, outcomes[n])
	}
	return all, nil
}

// Release implements bridge.ReviewQueues, on whichever replica it is called.
func (c *Cluster) Release(q bridge.ReviewQueue, numbers []uint64) ([]bridge.Outcome, error) {
	return c.clear(processor.Release, q, numbers)
}

// Purge implements bridge.ReviewQueues, on whichever replica it is called.
func (c *Cluster) Purge(q bridge.ReviewQueue, numbers []uint64) ([]bridge.Outcome, error) {
	return c.clear(processor.Purge, q, numbers)
}

// Replay has events emitted once more, after everything else in their lanes, by the owners of their partitions, and
// returns the replays in no particular order.
func (c *Cluster) Replay(ctx context.Context, events []*bridge.Event) (replayed []bridge.Emission, err error) {
	byPartition := make(map[int][]*bridge.Event)
	for _, e := range events {
		p := e.Lane.Partition(c.opts.Intake.Partitions())
		byPartition[p] = append(byPartition[p], e)
	}
	for partition, some := range byPartition {
		r, err := c.command(ctx, partition, &processor.Input{Action: processor.Replay, Events: some})
		if err != nil {
			return replayed, err
		}
		replayed = append(replayed, r.Replayed...)
	}
	return replayed, nil
}

// join returns the number by which operators know an entry: one in all partitions.
func (c *Cluster) join(partition int, number uint64) uint64 {
	return number*uint64(c.opts.Intake.Partitions()) + uint64(partition)
}

// split returns the partition of an entry, and its number there.
func (c *Cluster) split(number uint64) (partition int, there uint64) {
	n := uint64(c.opts.Intake.Partitions())
	return int(number % n), number / n
}
