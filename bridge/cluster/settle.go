package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// settleInterval is how often Settle looks whether something has come about.
const settleInterval = 50 * time.Millisecond

// errStillHeld says that the time to settle was over first.
var errStillHeld = errors.New("events are held that have not come out yet")

// AwaitAll returns once this replica, which Run has take part, owns all partitions: no other one works on them. The
// error names those that it does not own when ctx ends.
func (c *Cluster) AwaitAll(ctx context.Context) error {
	var others []int
	err := poll(ctx, func() (bool, error) {
		others = others[:0]
		for _, s := range c.Stats() {
			if s.State != Owner {
				others = append(others, s.Partition)
			}
		}
		return len(others) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("partitions %v are not this process's: other replicas work on them, or did until now", others)
	}
	return nil
}

// Settle returns once everything that lay in the intake logs when it was called is decided, and nothing is held.
func (c *Cluster) Settle(ctx context.Context) error {
	for p := range c.reviews {
		nothing := processor.Input{Action: processor.Purge, Queue: bridge.QuarantineQueue} // its result says that it was read
		if _, err := c.command(ctx, p, &nothing); err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
		err := poll(ctx, func() (settled bool, err error) {
			err = c.read(ctx, p, func(v *store.Review) error {
				settled = v.State().Counters.Held.Entries == 0
				return nil
			})
			return settled, err
		})
		if err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
	}
	return nil
}

// poll asks again and again until it is so.
func poll(ctx context.Context, so func() (bool, error)) error {
	ticker := time.NewTicker(settleInterval)
	defer ticker.Stop()
	for {
		if yes, err := so(); yes || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return errStillHeld
		}
	}
}

// Memory calls f with what the partitions remember: see store.Cache.Memory. Run has ended before, and nobody works on
// the partitions. Below has, for each partition, the number that all entries of its review queues are below.
func (c *Cluster) Memory(ctx context.Context, f func(*processor.Memory) error) (below []uint64, err error) {
	for p := range c.reviews {
		next, err := c.memoryOf(ctx, p, f)
		if err != nil {
			return nil, fmt.Errorf("partition %d: %w", p, err)
		}
		below = append(below, next)
	}
	return below, nil
}

func (c *Cluster) memoryOf(ctx context.Context, partition int, f func(*processor.Memory) error) (
	below uint64, err error,
) {
	cache, err := store.OpenCache(c.opts.cacheOptions(partition))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, cache.Close()) }()
	err = c.opts.Partitions.State(ctx, partition, cache.Position(), cache.Apply)
	if gone(err) {
		if err = cache.Reset(); err == nil {
			err = c.opts.Partitions.State(ctx, partition, 0, cache.Apply)
		}
	}
	if err != nil {
		return 0, err
	}
	return cache.State().Counters.Next, cache.Memory(f)
}

// PurgeBelow has the owners of the partitions, whenever there are some, take off the review queues the entries whose
// numbers, in their partition, are below those that Memory has returned. It returns once the intake logs have that
// durably.
func (c *Cluster) PurgeBelow(ctx context.Context, below []uint64) error {
	for p := range min(len(below), len(c.reviews)) {
		for _, q := range []bridge.ReviewQueue{bridge.QuarantineQueue, bridge.DeadLetterQueue} {
			if err := c.purgeQueue(ctx, p, q, below[p]); err != nil {
				return fmt.Errorf("partition %d: purge the %s: %w", p, q, err)
			}
		}
	}
	return nil
}

// purgeAtOnce is how many entries one command takes off a queue: what became of it is one row of the state.
const purgeAtOnce = 10_000

func (c *Cluster) purgeQueue(ctx context.Context, partition int, q bridge.ReviewQueue, below uint64) error {
	var entries []processor.Entry
	err := c.read(ctx, partition, func(v *store.Review) (err error) { entries, err = v.Entries(q, 0); return err })
	entries = slices.DeleteFunc(entries, func(e processor.Entry) bool { return e.Number >= below })
	for some := range slices.Chunk(entries, purgeAtOnce) {
		if err != nil {
			break
		}
		in := &processor.Input{Action: processor.Purge, Queue: q}
		for i := range some {
			in.Numbers = append(in.Numbers, some[i].Number)
		}
		err = c.opts.Intake.Append(ctx, partition, commandRecord(commandID{}, in))
	}
	return err
}
