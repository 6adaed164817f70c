package nats

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"livebridge/bridge"
)

const (
	// lookFirst is how long the first look takes at the most, and each one after it twice as long, up to lookTimeout: while a
	// cluster chooses a leader, a question is often lost, and the next one is answered at once.
	lookFirst   = 500 * time.Millisecond
	lookTimeout = 5 * time.Second
	lookAgain   = 500 * time.Millisecond
)

// streams makes sure that the streams are there and fit, in the background, whenever it is told to look.
type streams struct {
	opts    *Options
	wake    chan struct{}
	refused chan error
	cancel  context.CancelFunc
	watcher sync.WaitGroup
	good    atomic.Bool
	largest [2]atomic.Int64 // message size limit of the events' stream and of the quarantine's
	told    string          // what was logged last, so that it is not logged every time
}

func newStreams(opts *Options) *streams {
	return &streams{opts: opts, wake: make(chan struct{}, 1), refused: make(chan error, 1)}
}

// look has the streams checked; until they are, nothing is published.
func (s *streams) look() {
	s.good.Store(false)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// ready returns nil when the streams were there at the last look.
func (s *streams) ready() error {
	if s.good.Load() {
		return nil
	}
	return bridge.Unavailable("the streams at NATS have not been checked yet")
}

// limit returns the message size that the event's stream takes.
func (s *streams) limit(e *bridge.Event) int64 {
	i := 0
	if e.Quarantined() {
		i = 1
	}
	if limit := s.largest[i].Load(); limit > 0 {
		return limit
	}
	return math.MaxInt64
}

func (s *streams) watch(js jetstream.JetStream) {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.watcher.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
				s.checkUntilKnown(ctx, js)
			}
		}
	})
}

// checkUntilKnown looks again and again, as long as there is a connection: a new one has it look anyway.
func (s *streams) checkUntilKnown(ctx context.Context, js jetstream.JetStream) {
	for timeout := lookFirst; js.Conn().IsConnected() && !s.check(ctx, js, timeout); timeout = min(2*timeout, lookTimeout) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAgain):
		}
	}
}

func (s *streams) stop() {
	s.cancel()
	s.watcher.Wait()
}

// check reports whether both streams can be used, or never can.
func (s *streams) check(ctx context.Context, js jetstream.JetStream, timeout time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := s.ensureAll(ctx, js)
	var refusal *refusal
	switch {
	case err == nil:
		s.told = ""
		s.good.Store(true)
	case errors.As(err, &refusal):
		s.tell("a stream at NATS cannot be used", err)
		select {
		case s.refused <- err:
		default:
		}
	default:
		s.tell("the streams at NATS cannot be checked; this is tried again", err)
		return false
	}
	return true
}

func (s *streams) ensureAll(ctx context.Context, js jetstream.JetStream) error {
	err := s.ensure(ctx, js, 0, s.opts.Stream, s.opts.SubjectPrefix+".>", s.opts.eventSubjects())
	if err == nil && s.opts.Quarantine != "" {
		err = s.ensure(ctx, js, 1, QuarantineStream, s.opts.Quarantine+".*", s.opts.quarantineSubjects())
	}
	return err
}

// tell logs a problem unless it was the last one told.
func (s *streams) tell(what string, err error) {
	if text := what + err.Error(); text != s.told {
		s.told = text
		s.opts.Log.Warn(what, zap.Error(err))
	}
}
