package dispatch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"livebridge/bridge"
)

// fakeOutbox keeps events by lane in memory and checks, as the journal does, that each event is settled exactly once.
type fakeOutbox struct {
	mu       sync.Mutex
	lanes    map[bridge.Lane]*fakeLane
	changed  chan struct{}
	settled  chan struct{} // something was settled
	dead     map[bridge.Lane][]string
	retries  map[bridge.Lane][]time.Duration
	acked    []*bridge.Event // not trimmed
	trimmed  []*bridge.Event
	trims    int
	failures []error // of the durable function
	misuse   []string
}

type fakeLane struct {
	events   []*bridge.Event
	inFlight *bridge.Event
	until    time.Time
}

func newFakeOutbox() *fakeOutbox {
	return &fakeOutbox{
		lanes: make(map[bridge.Lane]*fakeLane), changed: make(chan struct{}, 1), settled: make(chan struct{}, 1),
		dead: make(map[bridge.Lane][]string), retries: make(map[bridge.Lane][]time.Duration),
	}
}

func (o *fakeOutbox) add(events ...*bridge.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range events {
		if o.lanes[e.Lane] == nil {
			o.lanes[e.Lane] = &fakeLane{}
		}
		o.lanes[e.Lane].events = append(o.lanes[e.Lane].events, e)
	}
	o.wake()
}

func (o *fakeOutbox) wake() { signal(o.changed) }

// signal sends to a channel with a buffer of one, unless it is full.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (o *fakeOutbox) Next(ctx context.Context) ([]*bridge.Event, error) {
	for ctx.Err() == nil {
		events, wait := o.takeReady()
		if len(events) > 0 {
			return events, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-o.changed:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil, ctx.Err()
}

func (o *fakeOutbox) takeReady() ([]*bridge.Event, time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var events []*bridge.Event
	wait := time.Hour
	for _, l := range o.lanes {
		switch {
		case l.inFlight != nil || len(l.events) == 0:
		case time.Until(l.until) > 0:
			wait = min(wait, time.Until(l.until))
		default:
			l.inFlight, l.events = l.events[0], l.events[1:]
			events = append(events, l.inFlight)
		}
	}
	return events, wait
}

func (o *fakeOutbox) Settle(e *bridge.Event, s bridge.Settlement) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.lanes[e.Lane]
	if l.inFlight != e {
		o.misuse = append(o.misuse, "settled an event that was not under way")
		return
	}
	l.inFlight = nil
	switch {
	case s.Retry > 0:
		o.retries[e.Lane] = append(o.retries[e.Lane], s.Retry)
		l.events, l.until = slices.Insert(l.events, 0, e), time.Now().Add(s.Retry)
	case s.DeadLetter != "":
		o.dead[e.Lane] = append(o.dead[e.Lane], string(s.DeadLetter)+": "+s.Detail)
	default:
		o.acked = append(o.acked, e)
	}
	o.wake()
	signal(o.settled)
}

func (o *fakeOutbox) Trim(ctx context.Context, durable func(context.Context) error) error {
	o.mu.Lock()
	may := o.acked
	o.trims++
	o.mu.Unlock()
	err := durable(ctx)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.failures = append(o.failures, err)
		return err
	}
	o.trimmed, o.acked = append(o.trimmed, may...), o.acked[len(may):]
	return nil
}

// pending counts the events that are neither acknowledged nor dead.
func (o *fakeOutbox) pending() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, l := range o.lanes {
		n += len(l.events)
		if l.inFlight != nil {
			n++
		}
	}
	return n
}

// locked runs f with the outbox locked.
func (o *fakeOutbox) locked(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

// fakePublisher is a broker: it responds with answer after a delay, and keeps the accepted events in order.
type fakePublisher struct {
	delay    func() time.Duration // nil: answers before Publish returns
	answer   func(*bridge.Event) error
	mu       sync.Mutex
	topic    []*bridge.Event
	tries    int
	peak     int // events under way at once
	inFlight int
	held     []func() // answers that are kept back; with hold
	hold     bool
}

func (p *fakePublisher) Publish(e *bridge.Event, done func(error)) {
	p.mu.Lock()
	p.tries++
	p.inFlight++
	p.peak = max(p.peak, p.inFlight)
	p.mu.Unlock()
	finish := func() { done(p.finish(e)) }
	p.mu.Lock()
	held := p.hold
	if held {
		p.held = append(p.held, finish)
	}
	p.mu.Unlock()
	switch {
	case held:
	case p.delay == nil:
		finish()
	default:
		time.AfterFunc(p.delay(), finish)
	}
}

func (p *fakePublisher) finish(e *bridge.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight--
	var err error
	if p.answer != nil {
		err = p.answer(e)
	}
	if err == nil || errors.Is(err, errAckLost) {
		p.topic = append(p.topic, e)
	}
	return err
}

func (p *fakePublisher) release() {
	p.mu.Lock()
	held := p.held
	p.held, p.hold = nil, false
	p.mu.Unlock()
	for _, f := range held {
		f()
	}
}

func (p *fakePublisher) locked(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (*fakePublisher) Close(context.Context) error { return nil }

// checkpointer is a broker whose acknowledgement is not on disk by itself.
type checkpointer struct {
	fakePublisher
	checkpoint func(context.Context) error
}

func (c *checkpointer) Checkpoint(ctx context.Context) error { return c.checkpoint(ctx) }

var (
	errAckLost = bridge.Unavailable("the acknowledgement was lost")
	errAway    = bridge.Unavailable("nobody there")
	errLarge   = bridge.Rejected(bridge.RejectionTooLarge, "too large")
)
