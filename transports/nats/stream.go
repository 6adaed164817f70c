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

// stream is one of our streams at the server: created when absent, checked again and again, and published to only while
// it keeps what it acknowledges.
type stream struct {
	opts            *Options
	want            jetstream.StreamConfig // as we create it
	needed          []string               // subjects that it has to take
	limit           string                 // the setting of its MaxBytes
	prefix          string                 // the setting of its subjects
	ack             []byte                 // begins its acknowledgements
	wake            chan struct{}
	checkAfter      <-chan struct{}             // not nil: closed when it may be checked
	state           atomic.Pointer[unavailable] // nil: it may be published to
	alarm           alarm
	permissionAlarm alarm           // of messages that the server denies us to publish
	warned          map[string]bool // what the last check warned of

	created  time.Time // of the stream at the last check
	replicas int       // likewise

	checked chan struct{} // closed after the first check
	once    sync.Once

	mu     sync.Mutex
	cancel context.CancelCauseFunc // of the check that runs
}

// unavailable is why nothing can be published to a stream.
type unavailable struct{ err error }

func unchecked(name string) *unavailable {
	return &unavailable{bridge.Unavailable("stream %s at NATS has not been checked yet", name)}
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

// check reports whether it is known what the stream is like. When it is not, a stream that was fit at the last check is
// still published to: what is wrong then answers each message.
func (s *stream) check(ctx context.Context, js jetstream.JetStream, timeout time.Duration) bool {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer s.once.Do(func() { close(s.checked) })
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
	var fault *unusableError
	switch {
	case err == nil:
		s.state.Store(nil)
		s.alarm.clear()
	case errors.As(err, &fault):
		s.block(fault)
	case ctx.Err() == nil:
		s.checkFailed(err)
		return false
	}
	return true
}

// block keeps events from a stream that has to be mended, or whose settings have.
func (s *stream) block(why *unusableError) {
	s.state.Store(&unavailable{bridge.Unavailable("%w", why)})
	s.alarm.raise(zap.ErrorLevel,
		"stream at NATS is unavailable; events are retained and publishing resumes once it is fixed", why)
}

// checkFailed notes that a check has come to nothing. Why a stream was unavailable before is still the best that is known.
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

// denied ends the check that runs, and keeps events from the stream.
func (s *stream) denied(why *unusableError) {
	s.block(why)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		s.cancel(why)
	}
}

// ensure creates the stream if it is absent and returns what it is like. On our own server its settings follow ours:
// nobody else could change them.
func (s *stream) ensure(ctx context.Context, js jetstream.JetStream) (*jetstream.StreamInfo, error) {
	have, err := js.Stream(ctx, s.want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		have, err = js.CreateStream(ctx, s.want)
	}
	if err == nil && s.opts.inProcess != nil && differs(have.CachedInfo().Config, s.want) {
		have, err = js.UpdateStream(ctx, s.want)
	}
	if err != nil {
		return nil, s.explain(ctx, js, err)
	}
	return have.CachedInfo(), nil
}

// inspect returns an error for a stream that does not fit, and logs what is worth knowing of one that does.
func (s *stream) inspect(info *jetstream.StreamInfo) error {
	s.compare(info)
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

// compare says what has happened to the stream since the last check.
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
