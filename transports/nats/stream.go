package nats

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// stream is one of our streams at the server: created when absent, checked periodically, and published to only while it
// retains what it acknowledges.
type stream struct {
	opts            *Options
	want            jetstream.StreamConfig // as we create it
	needed          []string               // subjects that it must have
	limit           string                 // the setting of its MaxBytes
	prefix          string                 // the setting of its subjects
	ack             []byte                 // prefix of its acknowledgements
	wake            chan struct{}
	checkAfter      <-chan struct{}                   // not nil: closed when it may be checked
	state           atomic.Pointer[unavailable]       // nil: it may be published to
	found           atomic.Pointer[bridge.TopicState] // at the last check; nil: it was not found yet
	alarm           alarm
	permissionAlarm alarm           // publishing is not permitted
	warned          map[string]bool // warnings of the last check

	createdByUs bool      // since the start
	gone        bool      // it was there before the last check, and was not found by it
	created     time.Time // of the stream at the last check
	replicas    int       // at the last check

	checked  chan struct{} // closed after the first check with an answer, or that has waited long for one
	answered sync.Once
	once     sync.Once
	onUsable func() // not nil: called after every check that finds the stream usable
	hold     hold   // of events until the first check

	mu     sync.Mutex
	cancel context.CancelCauseFunc // of the running check
}

// unavailable is the reason why nothing can be published to a stream.
type unavailable struct{ err error }

func unchecked(name string) *unavailable {
	return &unavailable{bridge.Unavailable("stream %s at NATS is not checked yet", name)}
}

func newStream(o *Options, s *stream) *stream {
	s.opts, s.wake, s.ack, s.checked = o, make(chan struct{}, 1), ackOf(s.want.Name), make(chan struct{})
	log := o.Log.With(zap.String("stream", s.want.Name))
	s.alarm.log, s.permissionAlarm.log = log, log
	s.state.Store(unchecked(s.want.Name))
	return s
}

// ready returns nil while the stream may be published to.
func (s *stream) ready() error {
	if u := s.state.Load(); u != nil {
		return u.err
	}
	return nil
}

// check checks the stream and reports whether that was possible. When it was not, a stream that was usable at the last
// check is still published to: each message then gets the server's error.
func (s *stream) check(ctx context.Context, js jetstream.JetStream, timeout time.Duration) bool {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer s.once.Do(s.hold.end)
	s.mu.Lock()
	s.cancel = cancel
	s.mu.Unlock()
	limited, end := context.WithTimeout(ctx, timeout)
	defer end()
	have, err := s.ensure(limited, js)
	if err == nil {
		err = s.inspect(have)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	if !errors.Is(err, context.DeadlineExceeded) || timeout >= checkTimeout {
		s.answered.Do(func() { close(s.checked) })
	}
	var fault *unusableError
	switch {
	case err == nil:
		s.state.Store(nil)
		s.alarm.clear()
		if s.onUsable != nil {
			s.onUsable()
		}
	case errors.As(err, &fault):
		s.block(fault)
	case ctx.Err() == nil:
		s.checkFailed(err)
		return false
	}
	return true
}

// block stops publishing to a stream until an operator fixes it or the settings.
func (s *stream) block(why *unusableError) {
	s.state.Store(&unavailable{bridge.Unavailable("%w", why)})
	s.alarm.raise(zap.ErrorLevel,
		"stream at NATS is unavailable; events are retained and publishing resumes once it is fixed", why)
}

// checkFailed handles a check without a result. A known reason why the stream is unavailable stays.
func (s *stream) checkFailed(err error) {
	var fault *unusableError
	switch u := s.state.Load(); {
	case u != nil && errors.As(u.err, &fault):
		s.block(fault)
		return
	case u != nil:
		s.state.Store(&unavailable{bridge.Unavailable("stream %s at NATS cannot be checked: %w", s.want.Name, err)})
	}
	s.alarm.raise(zap.WarnLevel, "stream at NATS cannot be checked; retrying", err)
}

// denied cancels the running check and blocks the stream.
func (s *stream) denied(why *unusableError) {
	s.block(why)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		s.cancel(why)
	}
}

// errGone gives a server the time until the next check to end what a deleted stream had running: nats-server 2.15 may
// otherwise leave a stream of the same name that takes messages and never acknowledges them.
var errGone = errors.New("the stream was deleted; it is created again in a moment")

// ensure creates the stream if it is absent and returns its description. On the embedded server it also applies our
// settings, since nobody else could.
func (s *stream) ensure(ctx context.Context, js jetstream.JetStream) (*jetstream.StreamInfo, error) {
	have, err := js.Stream(ctx, s.want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if s.found.Load() != nil && !s.gone {
			s.gone = true
			return nil, errGone
		}
		have, err = js.CreateStream(ctx, s.want)
		s.createdByUs = err == nil
	}
	s.gone = s.gone && err != nil
	if err == nil && s.opts.InProcess != nil && differs(have.CachedInfo().Config, s.want) {
		want := s.want
		want.FirstSeq = have.CachedInfo().Config.FirstSeq // it cannot be changed
		have, err = js.UpdateStream(ctx, want)
	}
	if err != nil {
		return nil, s.explain(ctx, js, err)
	}
	return have.CachedInfo(), nil
}

// inspect returns an error for an unusable stream, and logs new warnings about a usable one.
func (s *stream) inspect(info *jetstream.StreamInfo) error {
	s.compare(info)
	s.found.Store(stateOf(info, s.opts.Partitions))
	if err := s.checkConfig(info.Config); err != nil {
		return err
	}
	warned := make(map[string]bool)
	for _, text := range s.warnings(info.Config) {
		if warned[text] = true; !s.warned[text] {
			s.opts.Log.Warn(text, zap.String("stream", s.want.Name))
		}
	}
	s.warned = warned
	return nil
}

// compare logs what has happened to the stream since the last check.
func (s *stream) compare(info *jetstream.StreamInfo) {
	log := s.opts.Log.With(zap.String("stream", s.want.Name))
	if !s.created.IsZero() && !s.created.Equal(info.Created) {
		log.Error("stream at NATS was deleted and recreated; unread events are lost",
			zap.Time("was_created", s.created), zap.Time("created", info.Created))
	}
	if info.Config.Replicas < s.replicas {
		log.Warn("stream at NATS has fewer replicas than before",
			zap.Int("before", s.replicas), zap.Int("replicas", info.Config.Replicas))
	}
	s.created, s.replicas = info.Created, info.Config.Replicas
}
