// Package dispatch carries events from the outbox to the broker: one under way in each lane, many lanes at once, tried
// again for ever, removed from the outbox only when the broker has them on disk. It knows neither HTTP nor the disk.
package dispatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// Outbox is where events wait. The journal implements it.
type Outbox interface {
	// Next waits until some lane has an event and none under way, and returns one event for each of some such lanes. No
	// other event of those lanes comes before the one returned is settled. It returns ctx.Err() when ctx ends.
	Next(ctx context.Context) ([]*bridge.Event, error)
	// Settle says what became of an event that Next returned. It does not block.
	Settle(e *bridge.Event, s bridge.Settlement)
	// Trim removes from the disk everything acknowledged before the call, once durable has returned nil.
	Trim(ctx context.Context, durable func(context.Context) error) error
}

// Options are the limits and intervals of a Dispatcher. Start from DefaultOptions.
type Options struct {
	UnderWay   int           // events that are published at once
	FirstRetry time.Duration // the longest wait before the second try; it doubles with every further one
	LastRetry  time.Duration // the longest wait of all
	Checkpoint time.Duration // between two checkpoints of a broker that needs them
	Trim       time.Duration // between two removals otherwise
}

// DefaultOptions returns what the program uses.
func DefaultOptions() Options {
	return Options{
		UnderWay: 4096, FirstRetry: 50 * time.Millisecond, LastRetry: 5 * time.Second,
		Checkpoint: time.Second, Trim: 50 * time.Millisecond,
	}
}

// Dispatcher is the way from an Outbox to a Publisher.
type Dispatcher struct {
	outbox    Outbox
	publisher bridge.Publisher
	opts      Options
	log       *zap.Logger
	metrics   *metrics
	places    chan struct{} // one token for each event under way
	backoff   *backoff
	outage    outage
	underWay  sync.WaitGroup
}

// New makes a Dispatcher. It does nothing before Run.
func New(o Outbox, p bridge.Publisher, opts Options, log *zap.Logger, r prometheus.Registerer) (*Dispatcher, error) {
	d := &Dispatcher{
		outbox: o, publisher: p, opts: opts, log: log, metrics: newMetrics(),
		places: make(chan struct{}, opts.UnderWay), backoff: newBackoff(opts.FirstRetry, opts.LastRetry),
		outage: outage{log: log},
	}
	return d, d.metrics.register(r)
}

// Run publishes until ctx ends. Then it waits for what is under way, until stop ends, and makes that durable at the
// broker as far as that is possible in the same time.
func (d *Dispatcher) Run(ctx, stop context.Context) {
	trimmed := make(chan struct{})
	go func() {
		defer close(trimmed)
		d.trimUntil(ctx)
	}()
	d.publishUntil(ctx)
	<-trimmed
	d.settleUntil(stop)
	if err := d.trim(stop); err != nil && !errors.Is(err, context.Canceled) {
		d.log.Warn("what was published last may be published again after the restart", zap.Error(err))
	}
}

func (d *Dispatcher) publishUntil(ctx context.Context) {
	for {
		events, err := d.outbox.Next(ctx)
		if err != nil {
			return
		}
		for i, e := range events {
			if !d.claim(ctx) {
				d.giveBack(events[i:])
				return
			}
			if !d.outage.mayTry(ctx) {
				<-d.places
				d.giveBack(events[i:])
				return
			}
			d.publish(e)
		}
	}
}

// claim waits for a place among the events under way.
func (d *Dispatcher) claim(ctx context.Context) bool {
	select {
	case d.places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// giveBack returns events that were taken and will not be tried any more in this run.
func (d *Dispatcher) giveBack(events []*bridge.Event) {
	for _, e := range events {
		d.outbox.Settle(e, bridge.Settlement{Retry: d.opts.FirstRetry})
	}
}

func (d *Dispatcher) publish(e *bridge.Event) {
	begun := time.Now()
	d.underWay.Add(1)
	d.publisher.Publish(e, func(err error) {
		d.metrics.done(e, err, time.Since(begun))
		d.outbox.Settle(e, d.judge(e, err))
		<-d.places
		d.underWay.Done()
	})
}

// judge turns the publisher's answer into what becomes of the event.
func (d *Dispatcher) judge(e *bridge.Event, err error) bridge.Settlement {
	switch {
	case err == nil:
		d.outage.end()
		d.backoff.forget(e.Lane)
		return bridge.Settlement{}
	case bridge.IsRejected(err):
		d.outage.end()
		d.backoff.forget(e.Lane)
		d.log.Error("the broker will never take this event; it is a dead letter now",
			zap.Stringer("id", e.ID), zap.String("kind", e.Lane.Kind.String()), zap.Error(err))
		return bridge.Settlement{Dead: err.Error()}
	default:
		d.outage.failed(err)
		return bridge.Settlement{Retry: d.backoff.next(e.Lane)}
	}
}

// trimUntil removes what was published, again and again.
func (d *Dispatcher) trimUntil(ctx context.Context) {
	interval := d.opts.Trim
	if _, needed := d.publisher.(bridge.Checkpointer); needed {
		interval = d.opts.Checkpoint
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := d.trim(ctx); err != nil && ctx.Err() == nil {
			d.log.Warn("published events could not be made durable at the broker; they are kept and tried again", zap.Error(err))
		}
	}
}

func (d *Dispatcher) trim(ctx context.Context) error {
	durable := func(context.Context) error { return nil }
	if c, needed := d.publisher.(bridge.Checkpointer); needed {
		durable = c.Checkpoint
	}
	return d.outbox.Trim(ctx, durable)
}

// settleUntil waits for what is under way.
func (d *Dispatcher) settleUntil(stop context.Context) {
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		d.underWay.Wait()
	}()
	select {
	case <-settled:
	case <-stop.Done():
	}
}
