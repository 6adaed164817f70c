package nats

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"livebridge/bridge"
)

const (
	duplicateWindow = 2 * time.Minute
	lookTimeout     = 5 * time.Second
	lookAgain       = 500 * time.Millisecond
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
	s.look()
	s.watcher.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
			}
			if s.check(ctx, js) {
				continue
			}
			select {
			case <-ctx.Done():
			case <-time.After(lookAgain):
				s.look()
			}
		}
	})
}

func (s *streams) stop() {
	if s.cancel != nil {
		s.cancel()
	}
	s.watcher.Wait()
}

// check reports whether both streams can be used, or never can.
func (s *streams) check(ctx context.Context, js jetstream.JetStream) bool {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	err := s.ensure(ctx, js, 0, s.opts.Stream, s.opts.SubjectPrefix+".>")
	if err == nil && s.opts.Quarantine != "" {
		err = s.ensure(ctx, js, 1, QuarantineStream, s.opts.Quarantine+".*")
	}
	var refusal *refusal
	if errors.As(err, &refusal) {
		select {
		case s.refused <- err:
		default:
		}
		return true
	}
	if err != nil {
		s.opts.Log.Warn("the streams at NATS cannot be checked; this is tried again", zap.Error(err))
		return false
	}
	s.good.Store(true)
	return true
}

// refusal is a stream that will not do, however often it is looked at.
type refusal struct{ text string }

// Error says what is wrong and what to do.
func (r *refusal) Error() string { return r.text }

// ensure creates the stream if it is absent and checks one that is there.
func (s *streams) ensure(ctx context.Context, js jetstream.JetStream, i int, name, subjects string) error {
	stream, err := js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = js.CreateStream(ctx, s.config(name, subjects))
	}
	var api *jetstream.APIError
	if errors.As(err, &api) && (api.Code == 400 || api.Code == 403) {
		return &refusal{fmt.Sprintf("stream %s cannot be created at NATS: %v", name, err)}
	}
	if err != nil {
		return fmt.Errorf("stream %s: %w", name, err)
	}
	have := stream.CachedInfo().Config
	s.largest[i].Store(int64(have.MaxMsgSize))
	return s.inspect(have, subjects)
}

func (s *streams) config(name, subjects string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: name, Subjects: []string{subjects}, Storage: jetstream.FileStorage, Replicas: s.opts.Replicas,
		MaxAge: s.opts.MaxAge, MaxBytes: s.opts.MaxBytes, MaxMsgSize: -1,
		Discard: jetstream.DiscardOld, Duplicates: duplicateWindow, AllowDirect: true,
	}
}

// inspect refuses a stream with other subjects and warns of settings that lose events.
func (s *streams) inspect(have jetstream.StreamConfig, subjects string) error {
	if !slices.Equal(have.Subjects, []string{subjects}) {
		return &refusal{fmt.Sprintf("stream %s at NATS has the subjects %q and livebridge needs %q: "+
			"set NATS_STREAM or NATS_SUBJECT_PREFIX to others, or change the stream", have.Name, have.Subjects, subjects)}
	}
	if have.Retention != jetstream.LimitsPolicy {
		s.opts.Log.Warn("the stream removes events by interest or as work is done: consumers that come later miss them",
			zap.String("stream", have.Name))
	}
	if have.MaxMsgsPerSubject > 0 {
		s.opts.Log.Warn("the stream keeps only a few messages of each subject: older events of a lane are removed",
			zap.String("stream", have.Name), zap.Int64("max_msgs_per_subject", have.MaxMsgsPerSubject))
	}
	return nil
}
