package nats

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
)

const (
	// checkFirst is the timeout of the first check; it doubles for each further one, up to checkTimeout. While a cluster
	// elects a leader, requests are often lost and the next one is answered at once.
	checkFirst      = 500 * time.Millisecond
	checkTimeout    = 5 * time.Second
	checkRetryPause = 500 * time.Millisecond
	// recheckInterval is how often a stream is checked without a reason.
	recheckInterval = 2 * time.Second
)

// streams are those that we publish to. Each is checked by itself, so that a fault of one does not delay the other.
type streams struct {
	events     *stream
	quarantine *stream // nil: notices are not published
	cancel     context.CancelFunc
	watchers   sync.WaitGroup
}

func newStreams(o *Options) *streams {
	s := &streams{events: newStream(o, eventsStream(o))}
	if o.Quarantine != "" {
		s.quarantine = newStream(o, quarantineStream(o))
		s.quarantine.checkAfter = s.events.checked // where storage suffices for one of the two, events get it
	}
	return s
}

// of returns the stream that an event goes to.
func (s *streams) of(e *bridge.Event) *stream {
	if e.Quarantined() {
		return s.quarantine
	}
	return s.events
}

func (s *streams) all() []*stream {
	if s.quarantine == nil {
		return []*stream{s.events}
	}
	return []*stream{s.events, s.quarantine}
}

// release publishes the events that wait for the first check of their streams, or answers them.
func (s *streams) release() {
	for _, each := range s.all() {
		each.hold.release()
	}
}

// recheck schedules a check of every stream. Nothing is published until it is done.
func (s *streams) recheck() {
	for _, each := range s.all() {
		each.recheck()
	}
}

// start watches the streams in the background until stop.
func (s *streams) start(js jetstream.JetStream) {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	for _, each := range s.all() {
		s.watchers.Go(func() { each.watch(ctx, js) })
	}
}

func (s *streams) stop() {
	s.cancel()
	s.watchers.Wait()
}

// recheck schedules a check of the stream. Nothing is published to it until it is done.
func (s *stream) recheck() {
	s.state.CompareAndSwap(nil, unchecked(s.want.Name))
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// watch checks the stream on recheck and periodically. Without a connection it waits: a new one triggers recheck.
func (s *stream) watch(ctx context.Context, js jetstream.JetStream) {
	if s.checkAfter != nil {
		select {
		case <-s.checkAfter:
		case <-ctx.Done():
			return
		}
	}
	interval := cmp.Or(s.opts.CheckInterval, recheckInterval)
	timeout, pause := checkFirst, interval
	for s.pause(ctx, pause) {
		pause = interval
		switch {
		case !js.Conn().IsConnected():
			timeout = checkFirst
		case s.check(ctx, js, timeout):
			timeout = checkFirst
		default:
			timeout, pause = min(2*timeout, checkTimeout), checkRetryPause
		}
	}
}

// pause waits for the duration or for recheck. False: ctx has ended.
func (s *stream) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.wake:
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
