package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"livebridge/bridge"
)

// prepare finds or creates the streams. It waits for what an operator or the servers can mend until ctx ends.
func (r *Replicas) prepare(ctx context.Context) error {
	for timeout := checkFirst; ; timeout = min(2*timeout, checkTimeout) {
		err := r.checkStreams(ctx, timeout)
		var setting *bridge.SettingError
		if err == nil || errors.As(err, &setting) {
			return err
		}
		if ctx.Err() == nil {
			r.alarm.raise(zap.ErrorLevel, "replica waits for its streams at NATS; callbacks are taken as INTAKE_FALLBACK says",
				err)
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(checkRetryPause):
		}
	}
}

// watch checks the streams until the replica is closed.
func (r *Replicas) watch() {
	ticker := time.NewTicker(cmp.Or(r.opts.CheckInterval, recheckInterval))
	defer ticker.Stop()
	for {
		select {
		case <-r.closed:
			return
		case <-ticker.C:
		}
		err := r.checkStreams(context.Background(), checkTimeout)
		if r.isClosed() { // and with it the connection, perhaps
			return
		}
		switch {
		case err == nil:
			r.fault.Store(nil)
			r.alarm.clear()
			continue
		case errors.As(err, new(*unusableError)):
			r.fault.Store(&err)
		}
		r.alarm.raise(levelOf(err), "streams of replicas at NATS cannot be used or checked; retrying", err)
	}
}

// levelOf is an error where an operator has to act.
func levelOf(err error) zapcore.Level {
	if errors.As(err, new(*unusableError)) {
		return zap.ErrorLevel
	}
	return zap.WarnLevel
}

// checkStreams checks the server and the streams, and creates those that are absent unless that would lose something.
func (r *Replicas) checkStreams(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r.denial.Store(nil)
	conn, js := r.connection()
	if !conn.IsConnected() {
		return bridge.Unavailable("NATS is not connected: %w", r.connector.cause())
	}
	err := checkVersion(conn.ConnectedServerVersion())
	for _, s := range r.streams {
		if err == nil {
			err = r.checkStream(ctx, js, s)
		}
	}
	if err == nil {
		err = r.checkBucket(ctx, js)
	}
	if why := r.denial.Load(); err != nil && why != nil {
		return why
	}
	return err
}

func (r *Replicas) checkStream(ctx context.Context, js jetstream.JetStream, s *replicaStream) error {
	if err := r.mayCreate(ctx, js, s); err != nil {
		return err
	}
	have, err := s.ensure(ctx, js)
	if err != nil {
		return err
	}
	if err := s.fits(have.Config); err != nil {
		return err
	}
	s.compare(have)
	s.caution(s.cautions(have.Config))
	if s == r.streams[0] {
		if err := r.counted(s, have.Config); err != nil {
			return err
		}
	}
	s.behind.told(have)
	s.found.Store(stateOf(have, r.count))
	return nil
}

// counted takes the number of partitions, which stays what it was at the start.
func (r *Replicas) counted(s *replicaStream, have jetstream.StreamConfig) error {
	n, err := s.countOf(have)
	switch {
	case err != nil:
		return err
	case r.count == 0:
		r.count = n
	case r.count != n:
		return s.unusable("has %d partitions by its metadata, and had %d: set %s to %d again, or restart all replicas",
			n, r.count, metadataPartitions, r.count)
	}
	return nil
}

// mayCreate returns an error for a stream that is missing although the other one goes on from what was in it.
func (r *Replicas) mayCreate(ctx context.Context, js jetstream.JetStream, s *replicaStream) error {
	if !s.kept {
		return nil
	}
	if _, err := js.Stream(ctx, s.want.Name); !errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil // ensure says what it is
	}
	other := r.streams[0]
	if s == other {
		other = r.streams[1]
	}
	have, err := js.Stream(ctx, other.want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return r.beginBehind(ctx, js, s)
	}
	if err != nil {
		return fmt.Errorf("stream %s at NATS: %w", other.want.Name, err)
	}
	if have.CachedInfo().State.LastSeq > 0 {
		return s.unusable("was deleted, and stream %s goes on from what was in it: restore it from a backup, or, "+
			"to give up what was not decided or is held, delete %s and set NATS_STREAM to a new name", other.want.Name,
			other.want.Name)
	}
	return r.beginBehind(ctx, js, s)
}

// beginBehind has a new state's stream begin behind all that streams of consumers have taken from one before: they
// would wait for sequences above those.
func (r *Replicas) beginBehind(ctx context.Context, js jetstream.JetStream, s *replicaStream) error {
	if s != r.streams[1] {
		return nil
	}
	for _, out := range r.streams[2:] {
		have, err := js.Stream(ctx, out.want.Name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			continue
		}
		if err == nil && out.fits(have.CachedInfo().Config) != nil {
			continue // it will be refused, with the reason
		}
		var last uint64
		if err == nil {
			last, err = lastSourced(ctx, have, s.want.Name)
		}
		if err != nil {
			return fmt.Errorf("stream %s at NATS: %w", out.want.Name, err)
		}
		s.want.FirstSeq = max(s.want.FirstSeq, last+1)
	}
	return nil
}

// caution logs those of the warnings about a usable stream that are new.
func (s *replicaStream) caution(texts []string) {
	warned := make(map[string]bool)
	for _, text := range texts {
		if warned[text] = true; !s.warned[text] {
			s.opts.Log.Warn(text, zap.String("stream", s.want.Name))
		}
	}
	s.warned = warned
}

// denied notes an operation that the server does not permit: what waits for it has no answer.
func (r *Replicas) denied(d denial) {
	why := d.missingPermission()
	r.denial.Store(why)
	if suppressed, due := r.denials.Due(why.text, time.Now()); due {
		r.opts.Log.Error("NATS does not permit what a replica does", zap.Error(why), zap.Int("suppressed", suppressed))
	}
}

// Connected reports whether a server is connected and the streams can be used.
func (r *Replicas) Connected() bool {
	return r.current.Load().conn.IsConnected() && r.fault.Load() == nil
}

// TopicState returns the state of the stream with the fewest in-sync replicas at the last check.
func (r *Replicas) TopicState() (worst bridge.TopicState) {
	first := true
	for _, s := range r.streams {
		if state := s.found.Load(); state != nil && (first || state.InSync < worst.InSync) {
			worst, first = *state, false
		}
	}
	return worst
}
