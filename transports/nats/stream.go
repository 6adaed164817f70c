package nats

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// duplicateWindow is how long the server drops an event that comes twice, as after a lost acknowledgement.
const duplicateWindow = 2 * time.Minute

// ownWindow is the same on our own server. No answer of it is ever lost, so an event comes twice only right after a restart, and
// it keeps every event of the window in mind: a minute of 20,000 a second would be the most of our memory.
const ownWindow = 10 * time.Second

// ensure creates the stream if it is absent and checks one that is there. On our own server its settings follow ours:
// nobody else could change them.
func (s *streams) ensure(ctx context.Context, js jetstream.JetStream, i int, name, subjects string, needed []string) error {
	want := s.config(name, subjects)
	stream, err := js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = js.CreateStream(ctx, want)
	}
	if err == nil && s.opts.inProcess != nil && differs(stream.CachedInfo().Config, want) {
		stream, err = js.UpdateStream(ctx, want)
	}
	if refused := refuses(name, err); refused != nil {
		return refused
	}
	if err != nil {
		return fmt.Errorf("stream %s: %w", name, err)
	}
	have := stream.CachedInfo().Config
	s.largest[i].Store(int64(have.MaxMsgSize))
	return s.inspect(have, needed)
}

func (s *streams) config(name, subjects string) jetstream.StreamConfig {
	window := duplicateWindow
	if s.opts.inProcess != nil {
		window = ownWindow
	}
	return jetstream.StreamConfig{
		Name: name, Subjects: []string{subjects}, Storage: jetstream.FileStorage, Replicas: s.opts.Replicas,
		MaxAge: s.opts.MaxAge, MaxBytes: s.opts.MaxBytes, MaxMsgSize: -1,
		Discard: jetstream.DiscardOld, Duplicates: min(window, orForever(s.opts.MaxAge)), AllowDirect: true,
	}
}

// orForever turns the 0 of a limit that is off into a long time.
func orForever(d time.Duration) time.Duration {
	if d <= 0 {
		return duplicateWindow
	}
	return d
}

// differs compares what settings say of a stream.
func differs(have, want jetstream.StreamConfig) bool {
	return !slices.Equal(have.Subjects, want.Subjects) || have.MaxAge != want.MaxAge || have.MaxBytes != want.MaxBytes ||
		have.Duplicates != want.Duplicates
}

// inspect refuses a stream without our subjects and warns of settings that lose or reorder events.
func (s *streams) inspect(have jetstream.StreamConfig, needed []string) error {
	if !cover(have.Subjects, needed) {
		return &refusal{fmt.Sprintf("stream %s at NATS has the subjects %q, which do not cover %q: "+
			"set NATS_STREAM or NATS_SUBJECT_PREFIX (QUARANTINE_TOPIC for quarantine) to others, or change the stream",
			have.Name, have.Subjects, needed)}
	}
	warn := func(bad bool, text string) {
		if bad {
			s.opts.Log.Warn(text, zap.String("stream", have.Name))
		}
	}
	warn(have.Retention != jetstream.LimitsPolicy,
		"the stream removes events by interest or as work is done: consumers that come later miss them")
	warn(have.MaxMsgsPerSubject > 0, "the stream keeps only a few messages of each subject: older events of a lane are removed")
	warn(have.Discard == jetstream.DiscardNew, "the stream takes nothing new when it is full: publishing stops then")
	warn(have.Duplicates < 2*s.opts.AckTimeout,
		"the stream's duplicate window is shorter than a retry takes: an event may come twice, or out of order after a broker failure")
	warn(have.Sealed, "the stream is sealed: it takes nothing")
	return nil
}
