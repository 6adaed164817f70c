package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"livebridge/bridge"
	"livebridge/bridge/cluster"
	"livebridge/bridge/fallback"
	"livebridge/bridge/store"
)

// shared is what many replicas share at a broker.
type shared interface {
	bridge.IntakeLog
	bridge.Partitions
	Join() (bridge.Membership, error) // once
	Connected() bool
	TopicState() bridge.TopicState
	Reload() error // reads the files of credentials again
	Close(ctx context.Context) error
}

// replica is the engine of one of many: the intake at the broker makes callbacks durable, and whichever replica owns a
// partition decides what is there and commits what that emits. It takes callbacks before it has found the broker where
// it has a queue for them.
type replica struct {
	settings  *settings
	transport transport
	log       *zap.Logger
	tracer    bridge.Tracer // nil: tracing is off
	counts    *replicaCounts

	queue    *store.Queue      // nil: INTAKE_FALLBACK=refuse
	fallback *fallback.Journal // likewise
	opened   atomic.Pointer[opened]
	refusing atomic.Bool

	running context.Context // of what runs until finish
	end     context.CancelFunc
	ended   sync.WaitGroup
	failed  chan struct{} // of a queue; never closed where there is none
}

// opened is what a replica has once the broker was found.
type opened struct {
	shared  shared
	cluster *cluster.Cluster
}

// openReplica opens the queue of callbacks that the broker does not acknowledge. The broker is waited for by run.
func (a *app) openReplica() (*replica, error) {
	if err := errors.Join(a.settings.checkMemoryReplicas(a.transport), a.settings.checkJournalEmpty(a.log)); err != nil {
		return nil, err
	}
	r := &replica{settings: a.settings, transport: a.transport, log: a.log, tracer: a.spans(),
		failed: make(chan struct{})}
	r.counts = newReplicaCounts(a.log, a.registry, r.Available, a.published.Add)
	r.running, r.end = context.WithCancel(context.Background())
	if a.settings.IntakeFallback != "journal" {
		registerReplica(a.registry, r)
		return r, nil
	}
	var err error
	if r.queue, err = store.OpenQueue(a.settings.queueOptions(a.log)); err != nil {
		return nil, dataDirError(err)
	}
	r.fallback, err = fallback.New(fallback.Options{Intake: intake{r}, Queue: r.queue, Budget: a.settings.IntakeBudget,
		Log: a.log})
	if err != nil {
		return nil, errors.Join(err, r.queue.Close())
	}
	a.warnOpenDataDir()
	registerReplica(a.registry, r)
	return r, nil
}

// Append implements ingress.Journal.
func (r *replica) Append(ctx context.Context, a *bridge.Arrival) error {
	if r.refusing.Load() {
		return bridge.ErrStopping
	}
	err := r.accept(ctx, a)
	if err == nil {
		a.Decision = bridge.DecisionAccepted
	}
	return err
}

// accept makes a callback durable, at the broker or in the queue.
func (r *replica) accept(ctx context.Context, a *bridge.Arrival) error {
	if r.fallback != nil {
		return r.fallback.Append(ctx, a)
	}
	ctx, cancel := context.WithTimeout(ctx, r.settings.IntakeBudget)
	defer cancel()
	if err := (intake{r}).Append(ctx, a); err != nil {
		return fmt.Errorf("%w: %w", bridge.ErrBrokerAway, err)
	}
	return nil
}

// intake is that of the broker, or an error while that was not found.
type intake struct{ r *replica }

// Append implements fallback.Intake.
func (b intake) Append(ctx context.Context, a *bridge.Arrival) error {
	if o := b.r.opened.Load(); o != nil {
		return o.cluster.Append(ctx, a)
	}
	return bridge.Unavailable("the broker was not found yet")
}

// Ready is about taking callbacks, not about owning partitions.
func (r *replica) Ready() error {
	if r.queue != nil {
		return r.queue.Ready()
	}
	if !r.Connected() {
		return bridge.ErrBrokerAway
	}
	return nil
}

// run works until finish. An error of either part ends the service.
func (r *replica) run(_ context.Context, group *errgroup.Group) {
	work := func(f func(context.Context) error) {
		r.ended.Add(1)
		group.Go(func() error { defer r.ended.Done(); return f(r.running) })
	}
	if r.fallback != nil {
		work(r.fallback.Forward)
	}
	work(r.takePart)
}

// find finds the broker, and hands over to the partitions what a journal remembers.
func (r *replica) find(ctx context.Context) (shared, error) {
	s, err := r.transport.share(ctx, r.log)
	if err != nil {
		return nil, err
	}
	if err := r.handOver(ctx, s); err != nil {
		return nil, errors.Join(err, s.Close(ctx))
	}
	return s, nil
}

// takePart finds the broker and then works on the partitions that this replica is given, until ctx ends.
func (r *replica) takePart(ctx context.Context) error {
	s, err := r.find(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	o := r.settings.clusterOptions()
	o.Intake, o.Partitions, o.Tracer, o.Log = s, s, r.tracer, r.log
	o.Committed, o.Attempted = r.counts.committed, r.counts.attempted
	c := cluster.New(o)
	r.opened.Store(&opened{s, c})
	c.CatchUp(ctx)
	members, err := s.Join()
	if err != nil {
		return errors.Join(err, s.Close(ctx))
	}
	r.log.Info("replica takes part", zap.Int("partitions", s.Partitions()), zap.String("group", r.settings.IntakeGroup))
	if err := c.Run(ctx, members); err != nil {
		r.log.Warn("replica has not left the group; its partitions are taken over when its session is over", zap.Error(err))
	}
	return nil
}

func (r *replica) Failed() <-chan struct{} {
	if r.queue == nil {
		return r.failed
	}
	return r.queue.Failed()
}

// Err implements engine.
func (r *replica) Err() error {
	if r.queue == nil {
		return nil
	}
	return r.queue.Err()
}

func (r *replica) failure() <-chan error { return nil }

// Connected implements brokerState.
func (r *replica) Connected() bool {
	o := r.opened.Load()
	return o != nil && o.shared.Connected()
}

// Available implements brokerState.
func (r *replica) Available() bool { return r.Connected() }

// Topic implements brokerState.
func (r *replica) Topic() (bridge.TopicState, bool) {
	if o := r.opened.Load(); o != nil {
		return o.shared.TopicState(), true
	}
	return bridge.TopicState{}, false
}

// Reload implements brokerState.
func (r *replica) Reload() error {
	if o := r.opened.Load(); o != nil {
		return o.shared.Reload()
	}
	return nil
}

func (r *replica) pending() int {
	if r.fallback == nil {
		return 0
	}
	return r.fallback.Total()
}

// drainInterval is how often the queue is looked at while it is waited for.
const drainInterval = 10 * time.Millisecond

// drain waits until the broker has what is in the queue.
func (r *replica) drain(ctx context.Context, _ time.Time) error {
	ticker := time.NewTicker(drainInterval)
	defer ticker.Stop()
	for r.pending() > 0 {
		if !r.Connected() {
			return bridge.ErrBrokerAway
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (r *replica) refuse() { r.refusing.Store(true) }

// finish gives the partitions to the other replicas.
func (r *replica) finish(end time.Time) (left int) {
	r.end()
	ended := make(chan struct{})
	go func() { defer close(ended); r.ended.Wait() }()
	select {
	case <-ended:
	case <-time.After(time.Until(end)):
	}
	return r.pending()
}

func (r *replica) close(end time.Time) (err error) {
	r.end()
	if o := r.opened.Load(); o != nil {
		err = before(end, o.shared.Close)
	}
	if r.queue != nil {
		err = errors.Join(err, r.queue.Close())
	}
	return err
}
