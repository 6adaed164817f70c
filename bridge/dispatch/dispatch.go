// Package dispatch publishes the events of the outbox: one in flight per lane, many lanes at once, retried forever, and
// trimmed from the outbox only when they are durable at the broker. It knows neither HTTP nor the disk.
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

// Outbox is where events wait. Package outbox implements it.
type Outbox interface {
	// Next waits until some lane has an event and none in flight, and returns one event for each of some such lanes. It
	// returns no other event of those lanes until that one is settled. It returns ctx.Err() when ctx ends.
	Next(ctx context.Context) ([]*bridge.Event, error)
	// Settle reports the outcome of an event that Next returned. It does not block.
	Settle(e *bridge.Event, s bridge.Settlement)
	// Trim deletes everything acknowledged before the call, once durable has returned nil.
	Trim(ctx context.Context, durable func(context.Context) error) error
}

// Options are the limits and intervals of a Dispatcher. Zero fields have the values of DefaultOptions.
type Options struct {
	InFlight       int           // events published at once; those in backoff do not count
	InitialBackoff time.Duration // bound of the first backoff; it doubles with every further one
	MaxBackoff     time.Duration // bound of all backoffs
	Checkpoint     time.Duration // interval of trims with a Checkpointer
	Trim           time.Duration // interval of trims otherwise

	Backlog   func() bridge.Backlog          // what waits, for the log of an outage; nil: not logged
	Published func(*bridge.Event, time.Time) // called for every event that the broker has acknowledged; must not keep it
	Tracer    bridge.Tracer                  // makes a span of every attempt; nil: none
}

// DefaultOptions returns the options of the program.
func DefaultOptions() Options {
	return Options{
		InFlight: 4096, InitialBackoff: 50 * time.Millisecond, MaxBackoff: 5 * time.Second,
		Checkpoint: time.Second, Trim: 250 * time.Millisecond,
		Backlog: func() bridge.Backlog { return bridge.Backlog{} },
	}
}

func (o Options) withDefaults() Options {
	d := DefaultOptions()
	backlog := o.Backlog
	if backlog == nil {
		backlog = d.Backlog
	}
	return Options{
		InFlight: cmp.Or(o.InFlight, d.InFlight), InitialBackoff: cmp.Or(o.InitialBackoff, d.InitialBackoff),
		MaxBackoff: cmp.Or(o.MaxBackoff, d.MaxBackoff), Checkpoint: cmp.Or(o.Checkpoint, d.Checkpoint),
		Trim: cmp.Or(o.Trim, d.Trim), Backlog: backlog, Published: o.Published,
		Tracer: o.Tracer,
	}
}

// stuckAfter is the number of consecutive failures after which a lane that fails alone is logged: after some ten
// seconds.
const stuckAfter = 10

// Dispatcher publishes the events of an Outbox with a Publisher.
type Dispatcher struct {
	outbox    Outbox
	publisher bridge.Publisher
	opts      Options
	log       *zap.Logger
	metrics   *Metrics
	slots     chan struct{} // one entry for each event in flight
	backoff   *backoff
	events    outage // of the topic of events
	notices   outage // of the topic of quarantine notices, which can fail alone
	trimmer   *trimmer
	inFlight  sync.WaitGroup

	running  context.Context // ends when Shutdown begins
	quit     context.CancelFunc
	stopped  chan struct{} // closed when Run has taken its last event
	progress chan struct{} // with a buffer of one: the outbox may have become shorter
}

// New makes a Dispatcher, which does nothing before Run. It panics if its metrics are registered already.
func New(o Outbox, p bridge.Publisher, opts Options, log *zap.Logger, r prometheus.Registerer) *Dispatcher {
	opts = opts.withDefaults()
	d := &Dispatcher{
		outbox: o, publisher: p, opts: opts, log: log,
		slots: make(chan struct{}, opts.InFlight), backoff: newBackoff(opts.InitialBackoff, opts.MaxBackoff, backoffLanes),
		events:  outage{log: log, messages: eventMessages(), backlog: opts.Backlog},
		notices: outage{log: log, messages: noticeMessages(), backlog: opts.Backlog},
		trimmer: newTrimmer(o, p, opts, log),
		stopped: make(chan struct{}), progress: make(chan struct{}, 1),
	}
	d.running, d.quit = context.WithCancel(context.Background())
	d.metrics = NewMetrics(r, d.Available)
	return d
}

// Available reports whether the broker takes events, as far as is known: false during an outage.
func (d *Dispatcher) Available() bool { return !d.events.active() }

// Run publishes until Shutdown. It may be called once.
func (d *Dispatcher) Run() {
	defer close(d.stopped)
	var trimming sync.WaitGroup
	trimming.Go(func() { d.trimmer.run(d.running, d.noteProgress) })
	d.publishUntil(d.running)
	trimming.Wait()
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

// acquire waits for a slot and, during an outage, for the broker. Quarantine notices have only a few lanes, whose
// backoff is enough: no event waits behind one. It returns false when ctx has ended.
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

// requeue returns events that this run will not publish.
func (d *Dispatcher) requeue(events []*bridge.Event) {
	for _, e := range events {
		d.outbox.Settle(e, bridge.Settlement{Retry: d.opts.InitialBackoff})
	}
}

func (d *Dispatcher) publish(e *bridge.Event) {
	begun := time.Now()
	d.inFlight.Add(1)
	sent, span := d.traced(e)
	d.publisher.Publish(sent, func(err error) {
		took := time.Since(begun)
		endSpan(span, err)
		d.metrics.Observe(took, traceOf(span))
		d.metrics.Count(e, err)
		d.logAttempt(e, err, took)
		if err == nil && d.opts.Published != nil {
			d.opts.Published(e, begun.Add(took))
		}
		d.outbox.Settle(e, d.classify(e, err))
		d.noteProgress()
		<-d.slots
		d.inFlight.Done()
	})
}

// classify turns the publisher's answer into the event's settlement.
func (d *Dispatcher) classify(e *bridge.Event, err error) bridge.Settlement {
	outage := d.outageOf(e)
	switch {
	case err == nil:
		outage.recordSuccess()
		d.backoff.reset(e.Lane)
		return bridge.Settlement{}
	case bridge.IsRejected(err):
		d.backoff.reset(e.Lane)
		d.log.Error("event rejected by the broker; it is a dead letter now",
			zap.Stringer("id", e.ID), zap.Stringer("kind", e.Lane.Kind), zap.Error(err))
		return bridge.DeadLetterOf(err)
	default:
		outage.recordFailure(err)
		wait, failures := d.backoff.next(e.Lane)
		if failures == stuckAfter && !outage.active() {
			d.log.Warn("lane blocked: publishing this event keeps failing while others succeed",
				zap.Stringer("id", e.ID), zap.Stringer("kind", e.Lane.Kind), zap.Error(err))
		}
		return bridge.Settlement{Retry: wait}
	}
}

// outageOf returns the outage state of an event's topic.
func (d *Dispatcher) outageOf(e *bridge.Event) *outage {
	if e.Quarantined() {
		return &d.notices
	}
	return &d.events
}
