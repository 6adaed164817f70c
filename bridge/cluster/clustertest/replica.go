package clustertest

import (
	"context"
	"errors"
	"slices"
	"time"

	"livebridge/bridge"
)

// Replica is the broker as one replica sees it: bridge.IntakeLog, bridge.Membership and bridge.Partitions.
type Replica struct {
	broker *Broker
	id     int
	gate   Gate

	owns     map[int]int // the epoch in which it has taken a partition last
	assigned []int
	renewed  chan struct{} // holds one token when Next has something to return
	failures chan error    // that Next returns
}

// Replica returns the broker for one replica more. A nil gate lets everything proceed.
func (b *Broker) Replica(gate Gate) *Replica {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &Replica{broker: b, id: len(b.replicas), gate: gate, owns: make(map[int]int),
		renewed: make(chan struct{}, 1), failures: make(chan error)}
	b.replicas = append(b.replicas, r)
	return r
}

// ID returns the number of the replica, as in its requests.
func (r *Replica) ID() int { return r.id }

// Assign gives partitions to the replica, and takes all others from it.
func (r *Replica) Assign(partitions ...int) {
	r.broker.mu.Lock()
	defer r.broker.mu.Unlock()
	r.assigned = partitions
	select {
	case r.renewed <- struct{}{}:
	default:
	}
}

// FailNext has Next return an error once, and returns when it does.
func (r *Replica) FailNext(err error) { r.failures <- err }

// Next implements bridge.Membership.
func (r *Replica) Next(ctx context.Context) ([]int, error) {
	select {
	case <-r.renewed:
		r.broker.mu.Lock()
		defer r.broker.mu.Unlock()
		return slices.Clone(r.assigned), nil
	case err := <-r.failures:
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Leave implements bridge.Membership.
func (r *Replica) Leave(context.Context) error {
	r.Assign()
	return nil
}

// Partitions implements bridge.IntakeLog.
func (r *Replica) Partitions() int { return len(r.broker.partitions) }

// Append implements bridge.IntakeLog.
func (r *Replica) Append(ctx context.Context, p int, input []byte) error {
	return r.request(ctx, OpAppend, p, func(p *partition) error { return r.broker.append(p, input) })
}

// Take implements bridge.Partitions.
func (r *Replica) Take(ctx context.Context, number int, from uint64, put func([]bridge.Row, uint64) error) (
	bridge.Partition, error,
) {
	taken := &ownership{r: r, number: number}
	for _, s := range []struct {
		op Op
		do func(*partition) error
	}{{OpFence, taken.fence}, {OpRestore, taken.read}} {
		if err := r.request(ctx, s.op, number, s.do); err != nil {
			return nil, err
		}
	}
	return taken, hand(taken.state, from, taken.dropped, put)
}

// State implements bridge.Partitions.
func (r *Replica) State(ctx context.Context, number int, from uint64, put func([]bridge.Row, uint64) error) error {
	var state []stateEntry
	var dropped uint64
	err := r.request(ctx, OpState, number, func(p *partition) error {
		state, dropped = p.committedState(), p.dropped
		return nil
	})
	if err != nil {
		return err
	}
	return hand(state, from, dropped, put)
}

// committedState returns the entries that lie before the first open transaction; those that were aborted hold nothing.
func (p *partition) committedState() (state []stateEntry) {
	for _, e := range p.state {
		if !e.committed && !e.aborted {
			break
		}
		if e.aborted {
			e.rows = nil
		}
		state = append(state, e)
	}
	return state
}

// hand hands rows over, commit by commit. A state that is shorter than that is another one.
func hand(state []stateEntry, from, dropped uint64, put func([]bridge.Row, uint64) error) error {
	if from > 0 && from < dropped {
		return bridge.ErrStateGone
	}
	if from > uint64(len(state)) {
		from = 0
	}
	for i := from; i < uint64(len(state)); i++ {
		if err := put(state[i].rows, i+1); err != nil {
			return err
		}
	}
	return nil
}

// describe returns what a gate is told of a request.
func (r *Replica) describe(op Op, number int) Request {
	r.broker.mu.Lock()
	defer r.broker.mu.Unlock()
	p := r.broker.partitions[number]
	idle := len(p.intake) == 0 || p.intake[len(p.intake)-1].Position < p.next()
	return Request{Replica: r.id, Op: op, Partition: number, Idle: op == OpRead && idle,
		Fenced: r.owns[number] != p.epoch && op != OpAppend && op != OpFence}
}

// ownership is a partition that was taken.
type ownership struct {
	r      *Replica
	number int
	epoch  int
	state  []stateEntry
	next   uint64 // in the intake
	txn    *transaction

	dropped uint64 // see partition
}

// fence makes this the owner: what the one before has open is aborted.
func (o *ownership) fence(p *partition) error {
	p.epoch++
	o.epoch = p.epoch
	o.r.owns[o.number] = p.epoch
	if p.open != nil {
		p.open.aborted, p.open = true, nil
	}
	return nil
}

// read reads what was committed.
func (o *ownership) read(p *partition) error {
	o.state, o.next, o.dropped = p.committedState(), p.next(), p.dropped
	return nil
}

// Read implements bridge.Partition. Where a gate decides, it does not wait: that is the gate's to do.
func (o *ownership) Read(ctx context.Context, wait time.Duration) (records []bridge.IntakeRecord, end bool, err error) {
	if o.r.gate == nil {
		o.await(ctx, wait)
	}
	err = o.r.request(ctx, OpRead, o.number, func(p *partition) error {
		first, _ := slices.BinarySearchFunc(p.intake, o.next,
			func(r bridge.IntakeRecord, next uint64) int { return int(r.Position) - int(next) })
		last := min(len(p.intake), first+o.r.broker.ReadMax)
		records, end = p.intake[first:last:last], last == len(p.intake)
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	if len(records) > 0 {
		o.next = records[len(records)-1].Position + 1
	}
	return records, end, nil
}

// await returns when there is something to read, or the time is over.
func (o *ownership) await(ctx context.Context, wait time.Duration) {
	o.r.broker.mu.Lock()
	p := o.r.broker.partitions[o.number]
	changed := p.changed
	waiting := len(p.intake) > 0 && p.intake[len(p.intake)-1].Position >= o.next
	o.r.broker.mu.Unlock()
	if waiting {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Commit implements bridge.Partition.
func (o *ownership) Commit(ctx context.Context, c bridge.PartitionCommit) (state uint64, err error) {
	err = o.r.request(ctx, OpProduce, o.number, func(p *partition) error { return o.produce(p, c) })
	if err != nil {
		return 0, err
	}
	err = o.r.request(ctx, OpEnd, o.number, func(p *partition) error {
		state = uint64(len(p.state))
		return o.finish(p)
	})
	return state, err
}

// produce writes a transaction that is open.
func (o *ownership) produce(p *partition, c bridge.PartitionCommit) error {
	if o.epoch != p.epoch {
		return bridge.ErrFenced
	}
	if p.open != nil {
		return errors.New("a transaction is open, after an answer that was lost; the partition must be taken anew")
	}
	for i, e := range c.Events {
		if o.r.broker.Rejects != nil && o.r.broker.Rejects(e) {
			return &bridge.RejectedEvent{Index: i, Err: bridge.Rejected(bridge.RejectionTooLarge, "too large")}
		}
	}
	o.txn = &transaction{}
	p.open = o.txn
	for _, e := range c.Events {
		p.output = append(p.output, outputEntry{o.txn, *e})
	}
	p.state = append(p.state, stateEntry{o.txn, slices.Clone(c.Rows), c.Next})
	return nil
}

// finish commits it.
func (o *ownership) finish(p *partition) error {
	if o.epoch != p.epoch {
		return bridge.ErrFenced
	}
	o.txn.committed, p.open = true, nil
	return nil
}

// Epoch implements bridge.PartitionProgress.
func (o *ownership) Epoch() uint64 { return uint64(o.epoch) }

// Behind implements bridge.PartitionProgress.
func (o *ownership) Behind() (n uint64) {
	for _, r := range o.r.broker.Intake(o.number) {
		if r.Position >= o.next {
			n++
		}
	}
	return n
}

// Close implements bridge.Partition.
func (o *ownership) Close() error { return nil }
