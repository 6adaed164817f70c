// Package clustertest is a broker in memory that gives what many replicas share their work on: intake logs, states and
// outputs that are written in transactions, fences, and a membership. Each request to it passes a gate, where a test
// lets it proceed, refuses it, loses its answer, lets it wait, or ends the goroutine that has made it; so everything
// that can happen between two requests of replicas can be made to happen.
package clustertest

import (
	"context"
	"runtime"
	"sync"

	"livebridge/bridge"
)

// Request is what a replica asks of the broker.
type Request struct {
	Replica   int
	Op        Op
	Partition int
	Idle      bool // of OpRead: there is nothing to read now
	Fenced    bool // another replica has taken the partition since this one has
}

// Op is the kind of a request.
type Op string

// The requests. A takeover is OpFence and OpRestore, a commit OpProduce and OpEnd.
const (
	OpAppend  Op = "append"
	OpFence   Op = "fence"
	OpRestore Op = "restore"
	OpRead    Op = "read"
	OpProduce Op = "produce"
	OpEnd     Op = "end"
	OpState   Op = "state"
)

// Verdict is what becomes of a request.
type Verdict int

// The verdicts.
const (
	Proceed     Verdict = iota
	Refuse              // it is not carried out and fails
	Lose                // it is carried out and fails: the answer is lost
	CrashBefore         // the goroutine ends
	CrashAfter          // likewise, and it is carried out before
)

// Gate decides on a request, once it is time for it. It is called by the goroutine of the request.
type Gate func(ctx context.Context, r Request) Verdict

// Broker is the model. Its methods may be called by any number of goroutines.
type Broker struct {
	Now     func() bridge.Millis     // the log's clock
	ReadMax int                      // records that one read returns
	TooLong int                      // bytes of the first input that the log does not take; 0: it takes all
	Rejects func(*bridge.Event) bool // events that it will never take; nil: none

	mu         sync.Mutex
	partitions []*partition
	replicas   []*Replica
}

// partition is what the broker has of one.
type partition struct {
	intake  []bridge.IntakeRecord
	state   []stateEntry
	output  []outputEntry
	epoch   int
	open    *transaction
	dropped uint64        // what was removed up to there is not told any more
	changed chan struct{} // closed by the next append
}

// transaction is written in parts and counts once it is committed.
type transaction struct{ committed, aborted bool }

type stateEntry struct {
	*transaction
	rows []bridge.Row
	next uint64
}

type outputEntry struct {
	*transaction
	event bridge.Event
}

// positionStep is how far positions of the intake lie apart: they may have gaps.
const positionStep = 3

// New returns a broker with so many partitions.
func New(partitions int, now func() bridge.Millis) *Broker {
	b := &Broker{Now: now, ReadMax: 1000}
	for range partitions {
		b.partitions = append(b.partitions, &partition{changed: make(chan struct{})})
	}
	return b
}

// errRefused and errLost are how requests fail.
var (
	errRefused = bridge.Unavailable("the broker has refused the request")
	errLost    = bridge.Unavailable("the answer of the broker was lost")
)

// request carries one out as the gate of its replica says.
func (r *Replica) request(ctx context.Context, op Op, p int, do func(*partition) error) error {
	verdict := Proceed
	if r.gate != nil {
		verdict = r.gate(ctx, r.describe(op, p))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if verdict == CrashBefore {
		runtime.Goexit()
	}
	if verdict == Refuse {
		return errRefused
	}
	err := r.broker.do(p, do)
	if verdict == CrashAfter {
		runtime.Goexit()
	}
	if verdict == Lose && err == nil {
		return errLost
	}
	return err
}

func (b *Broker) do(p int, f func(*partition) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return f(b.partitions[p])
}

// append puts an input into the log.
func (b *Broker) append(p *partition, input []byte) error {
	if b.TooLong > 0 && len(input) >= b.TooLong {
		return bridge.Rejected(bridge.RejectionTooLarge, "the log takes less than %d bytes", b.TooLong)
	}
	p.intake = append(p.intake, bridge.IntakeRecord{
		Position: uint64(len(p.intake)) * positionStep, Recorded: b.Now(), Value: append([]byte(nil), input...),
	})
	close(p.changed)
	p.changed = make(chan struct{})
	return nil
}

// Output returns what readers of committed records see of a partition, in order.
func (b *Broker) Output(p int) (events []bridge.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.partitions[p].output {
		if e.committed {
			events = append(events, e.event)
		}
	}
	return events
}

// Intake returns what lies in the log of a partition.
func (b *Broker) Intake(p int) []bridge.IntakeRecord {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]bridge.IntakeRecord(nil), b.partitions[p].intake...)
}

// Next returns the committed position in the intake of a partition.
func (b *Broker) Next(p int) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.partitions[p].next()
}

func (p *partition) next() uint64 {
	for i := len(p.state) - 1; i >= 0; i-- {
		if p.state[i].committed {
			return p.state[i].next
		}
	}
	return 0
}

// Compact removes from the state of a partition what a later row of the same key has replaced, and rows that were
// removed before the last commits, so many of them. Whoever has read less gets bridge.ErrStateGone.
func (b *Broker) Compact(p, keepRemovals int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	state := b.partitions[p].state
	b.partitions[p].dropped = uint64(max(0, len(state)-keepRemovals))
	seen := make(map[string]bool)
	for i := len(state) - 1; i >= 0; i-- {
		if !state[i].committed {
			continue
		}
		var kept []bridge.Row
		for _, row := range state[i].rows {
			removed := row.Value == nil && i < len(state)-keepRemovals
			if !seen[string(row.Key)] && !removed {
				kept = append(kept, row)
			}
			seen[string(row.Key)] = true
		}
		state[i].rows = kept
	}
}

// Rows returns how many rows the state of a partition has.
func (b *Broker) Rows(p int) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.partitions[p].state {
		if e.committed {
			n += len(e.rows)
		}
	}
	return n
}
