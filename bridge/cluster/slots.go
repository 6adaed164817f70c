package cluster

import (
	"context"
	"time"
)

// slots are how many partitions work at once on what they have read. A commit of one input costs the broker about as
// much as one of a hundred: a partition that finds all slots taken waits, and then commits what has come meanwhile,
// too. It does not wait for long, since the others may be waiting for a server that is gone.
type slots struct {
	taken chan struct{}
	wait  time.Duration
}

func newSlots(o *Options) slots { return slots{make(chan struct{}, o.Commits), o.CommitWait} }

// take takes a slot, and reports whether it had to wait. What it returns gives the slot back.
func (s slots) take(ctx context.Context) (free func(), waited bool) {
	free = func() { <-s.taken }
	select {
	case s.taken <- struct{}{}:
		return free, false
	default:
	}
	timer := time.NewTimer(s.wait)
	defer timer.Stop()
	select {
	case s.taken <- struct{}{}:
		return free, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return func() {}, true
}
