package cluster

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"
)

// slots are how many partitions work at once on what they have read. A commit of one input costs the broker about as
// much as one of a hundred: a partition that finds all slots taken waits, and then commits what has come meanwhile,
// too. It does not wait for long, since the others may be waiting for a server that is gone.
type slots struct {
	semaphore *semaphore.Weighted
	wait      time.Duration
}

func newSlots(o *Options) slots { return slots{semaphore.NewWeighted(int64(o.Commits)), o.CommitWait} }

// take takes a slot, and reports whether it had to wait. What it returns gives the slot back.
func (s slots) take(ctx context.Context) (free func(), waited bool) {
	free = func() { s.semaphore.Release(1) }
	if s.semaphore.TryAcquire(1) {
		return free, false
	}
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	if s.semaphore.Acquire(ctx, 1) == nil {
		return free, true
	}
	return func() {}, true
}
