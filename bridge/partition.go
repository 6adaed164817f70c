package bridge

import (
	"context"
	"errors"
	"time"
)

// ErrFenced says that another replica has taken the partition over. Nothing of the call was committed, and nothing will
// be: the partition is given up until the Membership gives it to this replica once more.
var ErrFenced = errors.New("another replica has taken the partition over")

// ErrTimedOut is an ErrFenced of which it is known that no other replica was given the partition: its transaction took
// longer than the broker allows, which has ended it and fenced its owner.
var ErrTimedOut error = timedOut{}

type timedOut struct{}

// Error implements error.
func (timedOut) Error() string {
	return "the broker has ended the transaction, which took longer than it allows; " +
		"no other replica was given the partition"
}

// Is has it taken for what it is a case of.
func (timedOut) Is(target error) bool { return target == ErrFenced }

// ErrStateGone says that the state can no longer be read from a position: keys that were removed behind it may have
// been forgotten, or the state has lost what was there. What was kept of it is thrown away, and it is read from 0.
var ErrStateGone = errors.New("the state can no longer be read from the position")

// Row is one record of a partition's state: what its key stands for from now on. A nil value removes the key.
type Row struct{ Key, Value []byte }

// IntakeRecord is an input as it lies in the intake log of a partition.
type IntakeRecord struct {
	Position uint64 // in its partition; rises, and may have gaps
	Recorded Millis // when the log took it
	Value    []byte // the byte form of an input
}

// PartitionCommit is what an owner commits, all of it or nothing.
type PartitionCommit struct {
	Events []*Event // for the output, in this order; those that are Quarantined for the output of notices
	Rows   []Row    // of the state, each key once
	Next   uint64   // position in the intake that is read next
}

// RejectedEvent is the error of a commit of which the broker will never take one event. Nothing was committed.
type RejectedEvent struct {
	Index int   // in PartitionCommit.Events
	Err   error // which says why; IsRejected
}

// Error implements error.
func (r *RejectedEvent) Error() string { return r.Err.Error() }

// Unwrap returns why the event is rejected.
func (r *RejectedEvent) Unwrap() error { return r.Err }

// IntakeLog takes inputs from any replica.
type IntakeLog interface {
	// Append returns once the broker has the input durably in the intake log of a partition, behind everything whose
	// Append has returned before. An error that is not IsRejected leaves it open whether the log has the input.
	Append(ctx context.Context, partition int, input []byte) error
	// Partitions returns how many there are. The number never changes while the program runs.
	Partitions() int
}

// Membership shares the partitions out among the replicas. It is about liveness only: two replicas may believe for a
// while that a partition is theirs, and the fence of Take decides.
type Membership interface {
	// Next waits until other partitions are this replica's than those it returned before, and returns them. Its errors
	// pass: it is called again. It may return the same ones: those that were given up after ErrFenced are then this
	// replica's once more.
	Next(ctx context.Context) (partitions []int, err error)
	// Leave gives all partitions to the others at once.
	Leave(ctx context.Context) error
}

// Partitions are the partitions of an intake with their state.
type Partitions interface {
	// Take makes this replica the owner of a partition. It fences whoever was before, so that none of their commits
	// succeeds any more, and then hands to put, in the order of their commits, the rows of the state that were committed
	// at or behind the position from, in the state's own count; 0 is the beginning. What it hands over may begin
	// earlier. Put keeps nothing of the rows, and gets the position that follows them. An error of put ends it. Before
	// anything is handed over it may return ErrStateGone, unless from is 0.
	Take(ctx context.Context, partition int, from uint64, put func(rows []Row, next uint64) error) (Partition, error)
	// State reads the state as Take does, up to what is committed now, for a replica that does not own the partition.
	State(ctx context.Context, partition int, from uint64, put func(rows []Row, next uint64) error) error
}

// Partition is one that this replica has taken. It is used by one goroutine. After an error other than of its context
// and RejectedEvent it is closed and, if it is still ours, taken anew: what became of a commit without an answer is
// seen by Take.
type Partition interface {
	// Read returns the next inputs. With nothing to return it waits for the time given at most. End says that nothing
	// more was in the intake at an instant after Read was called: what a hold waits for is not there.
	Read(ctx context.Context, wait time.Duration) (records []IntakeRecord, end bool, err error)
	// Commit returns once everything is committed: readers of committed records see the events, and Take the rows and
	// the position in the intake. It returns the position in the state's own count that follows the rows, for a later
	// Take. A broker that is slow or away is waited for until the context ends.
	Commit(ctx context.Context, c PartitionCommit) (state uint64, err error)
	// Close ends what is open. It gives nothing to others: Membership does.
	Close() error
}

// PartitionProgress is what a Partition may tell of itself besides, for logs and metrics. Like it, it is used by one
// goroutine.
type PartitionProgress interface {
	// Epoch tells the owners of a partition apart: it is another one after each Take, whoever has called it.
	Epoch() uint64
	// Behind returns how many inputs lie in the intake behind what Read has returned, when it was last known.
	Behind() uint64
}

// RestoreProgress is what Partitions may tell of a Take that is under way. It may be called by any goroutine.
type RestoreProgress interface {
	// Restored returns which part of the partition's state was read, from 0 to 1.
	Restored(partition int) float64
}
