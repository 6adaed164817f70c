package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"livebridge/bridge"
	"livebridge/bridge/store"
)

// Cluster is one replica of many. Its methods may be called by any number of goroutines.
type Cluster struct {
	opts    Options
	stats   statsTable
	slots   slots
	reviews []*review // by partition
	stopped atomic.Bool

	reminders bridge.Reminders // of states that cannot be read ahead
}

// New returns a replica that owns nothing yet; Run makes it take part.
func New(opts Options) *Cluster {
	if l, limits := opts.Partitions.(bridge.BatchLimiter); limits {
		opts.BatchInputs = min(opts.BatchInputs, l.BatchInputs())
	}
	c := &Cluster{opts: opts, stats: newStats(opts.Intake.Partitions()), slots: newSlots(&opts)}
	for range c.stats {
		c.reviews = append(c.reviews, &review{Review: store.NewReview()})
	}
	return c
}

// Append writes a verified callback to the intake log, and returns nil once it is there durably: whichever replica owns
// its partition decides it. What many goroutines append at once shares nothing but the log's batches. The error is
// bridge.ErrStopping, wraps ErrTooLarge where the log will never take it, or says why the log could not be reached; in
// that case it is not known whether the log has the callback.
func (c *Cluster) Append(ctx context.Context, a *bridge.Arrival) error {
	if c.stopped.Load() {
		return bridge.ErrStopping
	}
	partition := a.Event.Lane.Partition(c.opts.Intake.Partitions())
	input := callbackRecord(a)
	err := c.opts.Intake.Append(ctx, partition, input)
	if bridge.IsRejected(err) {
		return fmt.Errorf("%w (%d bytes): %w", ErrTooLarge, len(input), err)
	}
	return err
}

// ErrTooLarge says that the intake log will never take a callback, which is not acknowledged: nothing else would keep
// it.
var ErrTooLarge = errors.New("the intake log does not take a callback of this size; " +
	"raise the limit of its topic or stream")

// Stop refuses further callbacks with bridge.ErrStopping. The partitions are worked on until Run ends.
func (c *Cluster) Stop() { c.stopped.Store(true) }
