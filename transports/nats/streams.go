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
	// checkFirst is how long the first check takes at the most, and each one after it twice as long, up to checkTimeout:
	// while a cluster chooses a leader, a request is often lost, and the next one is answered at once.
	checkFirst      = 500 * time.Millisecond
	checkTimeout    = 5 * time.Second
	checkRetryPause = 500 * time.Millisecond
	// recheckInterval is how often a stream is checked while nothing gives cause to.
	recheckInterval = 2 * time.Second
)

// streams are those that we publish to. Each is looked after by itself, so that trouble with one does not hold up the
// other.
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
		s.quarantine.checkAfter = s.events.checked // where there is room for one of the two, it is for events
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

// recheck has every stream checked; until they are, nothing is published.
func (s *streams) recheck() {
	for _, each := range s.all() {
		each.recheck()
	}
}

// start looks after the streams in the background until stop.
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

// recheck has the stream checked; until it is, nothing is published to it.
func (s *stream) recheck() {
	s.state.CompareAndSwap(nil, unchecked(s.want.Name))
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// watch checks the stream whenever there is cause to, and every now and then. Without a connection it waits: a new one
// is cause.
func (s *stream) watch(ctx context.Context, js jetstream.JetStream) {
	if s.checkAfter != nil {
		select {
		case <-s.checkAfter:
		case <-ctx.Done():
			return
		}
	}
	interval := cmp.Or(s.opts.recheck, recheckInterval)
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

// pause ends early when there is cause to check. False: ctx has ended.
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
