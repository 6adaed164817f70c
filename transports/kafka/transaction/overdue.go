package transaction

import (
	"fmt"
	"time"

	"livebridge/bridge"
)

// Overdue is an ErrFenced of a transaction that was open for longer than its time-out. Brokers end such a one and fence
// its producer; but it may as well be that another owner has taken the transactional id.
type Overdue struct {
	What  string        // was asked for
	After time.Duration // since the transaction began
	Err   error         // the broker's
}

// Error implements error.
func (o *Overdue) Error() string {
	return fmt.Sprintf("%s: the broker has ended the transaction, which was open for %v, or another replica has taken "+
		"the partition over: %v", o.What, o.After.Round(time.Millisecond), o.Err)
}

// Unwrap returns the broker's error.
func (o *Overdue) Unwrap() error { return o.Err }

// Is has it taken for what it is a case of.
func (o *Overdue) Is(target error) bool { return target == bridge.ErrFenced }

// TimedOut returns the error for when it is known that there is no other owner.
func (o *Overdue) TimedOut() error {
	return fmt.Errorf("%s after %v: %w: %w", o.What, o.After.Round(time.Millisecond), bridge.ErrTimedOut, o.Err)
}
