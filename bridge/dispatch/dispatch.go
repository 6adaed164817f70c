// Package dispatch carries events from the outbox to the broker: one under way in each lane, many lanes at once, tried
// again for ever, removed from the outbox only when the broker has them on disk. It knows neither HTTP nor the disk.
package dispatch

import (
	"cmp"
	"context"
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

// Options are the limits and intervals of a Dispatcher. A field that is 0 takes its value from DefaultOptions.
type Options struct {
	InFlight       int           // events that are published at once; one in back-off does not count
	InitialBackoff time.Duration // the longest wait before the second try; it doubles with every further one
	MaxBackoff     time.Duration // the longest wait of all
	Checkpoint     time.Duration // between two checkpoints of a broker that needs them
	Trim           time.Duration // between two removals otherwise
}

// DefaultOptions returns what the program uses.
func DefaultOptions() Options {
	return Options{
		InFlight: 4096, InitialBackoff: 50 * time.Millisecond, MaxBackoff: 5 * time.Second,
		Checkpoint: time.Second, Trim: 250 * time.Millisecond,
	}
}

func (o Options) withDefaults() Options {
	d := DefaultOptions()
	return Options{
		InFlight: cmp.Or(o.InFlight, d.InFlight), InitialBackoff: cmp.Or(o.InitialBackoff, d.InitialBackoff),
		MaxBackoff: cmp.Or(o.MaxBackoff, d.MaxBackoff), Checkpoint: cmp.Or(o.Checkpoint, d.Checkpoint), Trim: cmp.Or(o.Trim, d.Trim),
	}
}

// stuckAfter is the number of failures in a row after which a lane that fails alone is worth a word in the log. It is
// reached after some ten seconds.
const stuckAfter = 10

// Dispatcher is the way from an Outbox to a Publisher.
type Dispatcher struct {
	outbox    Outbox
	publisher bridge.Publisher
	opts      Options
	log       *zap.Logger
	metrics   *metrics
	slots     chan struct{} // one token for each event under way
	backoff   *backoff
	events    outage // of the events' topic
	notices   outage // of the quarantine's, which may be a stream or topic that has trouble of its own
	trimmer   *trimmer
	inFlight  sync.WaitGroup
}

// New makes a Dispatcher. It does nothing before Run. The error is that its metrics are registered already.
func New(o Outbox, p bridge.Publisher, opts Options, log *zap.Logger, r prometheus.Registerer) (*Dispatcher, error) {
	opts = opts.withDefaults()
	d := &Dispatcher{
		outbox: o, publisher: p, opts: opts, log: log, metrics: newMetrics(),
		slots: make(chan struct{}, opts.InFlight), backoff: newBackoff(opts.InitialBackoff, opts.MaxBackoff, backoffLanes),
		events: outage{log: log, messages: eventMessages()}, notices: outage{log: log, messages: noticeMessages()},
		trimmer: newTrimmer(o, p, opts, log),
	}
	return d, d.metrics.register(r)
}

// Run publishes until ctx ends: whoever ends it decides whether the outbox is to be empty by then. After that nothing
// new is taken, what is under way is waited for until stop ends, and what was acknowledged is trimmed once more.
func (d *Dispatcher) Run(ctx, stop context.Context) {
	trimmed := make(chan struct{})
	go func() {
		defer close(trimmed)
		d.trimmer.run(ctx)
	}()
	d.publishUntil(ctx)
	<-trimmed
	d.awaitInFlight(stop)
	d.trimmer.finish(stop)
}

func (d *Dispatcher) publishUntil(ctx context.Context) {
	for {
		events, err := d.outbox.Next(ctx)
		if err != nil {
			return
		}
		for i, e := range events {
			if !d.acquire(ctx, e) {
				d.requeue(events[i:])
				return
			}
			d.publish(e)
		}
	}
}

// acquire waits for a place among the events under way, and for the broker while it is away. Notices of the quarantine
// have a few lanes only, whose back-off is enough: no event has to wait behind one. False: ctx has ended.
func (d *Dispatcher) acquire(ctx context.Context, e *bridge.Event) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case d.slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	if e.Quarantined() || d.events.awaitProbe(ctx) {
		return true
	}
	<-d.slots
	return false
}

// requeue returns events that were taken and will not be tried any more in this run.
func (d *Dispatcher) requeue(events []*bridge.Event) {
	for _, e := range events {
		d.outbox.Settle(e, bridge.Settlement{Retry: d.opts.InitialBackoff})
	}
}

func (d *Dispatcher) publish(e *bridge.Event) {
	begun := time.Now()
	d.inFlight.Add(1)
	d.publisher.Publish(e, func(err error) {
		d.metrics.observe(e, err, time.Since(begun))
		d.outbox.Settle(e, d.classify(e, err))
		<-d.slots
		d.inFlight.Done()
	})
}

// classify turns the publisher's answer into what becomes of the event.
func (d *Dispatcher) classify(e *bridge.Event, err error) bridge.Settlement {
	outage := d.outageOf(e)
	switch {
	case err == nil:
		outage.recordSuccess()
		d.backoff.reset(e.Lane)
		return bridge.Settlement{}
	case bridge.IsRejected(err):
		d.backoff.reset(e.Lane)
		d.log.Error("the broker will never take this event; it is a dead letter now",
			zap.Stringer("id", e.ID), zap.Stringer("kind", e.Lane.Kind), zap.Error(err))
		return bridge.Settlement{DeadLetter: err.Error()}
	default:
		outage.recordFailure(err)
		wait, failures := d.backoff.next(e.Lane)
		if failures == stuckAfter && !outage.active() {
			d.log.Warn("the broker takes other events but not this one; its lane waits for it",
				zap.Stringer("id", e.ID), zap.Stringer("kind", e.Lane.Kind), zap.Error(err))
		}
		return bridge.Settlement{Retry: wait}
	}
}

// outageOf returns what is known of the topic that an event goes to.
func (d *Dispatcher) outageOf(e *bridge.Event) *outage {
	if e.Quarantined() {
		return &d.notices
	}
	return &d.events
}

// awaitInFlight waits for what is under way.
func (d *Dispatcher) awaitInFlight(stop context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.inFlight.Wait()
	}()
	select {
	case <-done:
	case <-stop.Done():
	}
}
