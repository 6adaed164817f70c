package cluster

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
)

// Why is the reason of a change of ownership.
type Why string

// Why a partition was taken.
const (
	WhyStart      Why = "start"       // given with the first ones since the replica has started
	WhyAssigned   Why = "assigned"    // given later
	WhyAfterFence Why = "after_fence" // given once more after it was fenced out
	WhyAfterError Why = "after_error" // taken anew after an error
)

// Why a partition was given up.
const (
	WhyRebalance Why = "rebalance" // given to another replica
	WhyShutdown  Why = "shutdown"  // this replica stops
	WhyFenced    Why = "fenced"    // the broker has fenced this owner, for another replica
	WhyTimedOut  Why = "timed_out" // likewise, because a transaction took too long
	WhyError     Why = "error"     // something failed; it is taken anew
)

// Change is a change of ownership: a takeover of this replica, or the end of what it owned. The zero Change is none.
type Change struct {
	At  time.Time // by the wall clock
	Why Why
}

// errRebalanced is why a worker ends whose partition is given to another replica.
var errRebalanced = errors.New("the partition is given to another replica")

// whyEnded returns why an ownership has ended with an error.
func whyEnded(ctx context.Context, err error) Why {
	switch {
	case errors.Is(context.Cause(ctx), errRebalanced):
		return WhyRebalance
	case ctx.Err() != nil:
		return WhyShutdown
	case errors.Is(err, bridge.ErrTimedOut):
		return WhyTimedOut
	case errors.Is(err, bridge.ErrFenced):
		return WhyFenced
	}
	return WhyError
}

// logGivenUp logs the end of an ownership, of which owned tells.
func logGivenUp(log *zap.Logger, owned []zap.Field, why Why, err error) {
	fields := append(owned, zap.String("why", string(why)))
	switch why {
	case WhyFenced:
		log.Warn("partition given up: the broker has fenced this replica out", append(fields, zap.Error(err))...)
	case WhyTimedOut:
		log.Warn("partition given up: a transaction took longer than the broker allows", append(fields, zap.Error(err))...)
	default:
		log.Info("partition given up: it goes to another replica, or this one stops", fields...)
	}
}
