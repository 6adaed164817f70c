package nats

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Error codes with which the server refuses to create or describe a stream.
const (
	accountLimit       jetstream.ErrorCode = 10002
	noPeers            jetstream.ErrorCode = 10005
	noResources        jetstream.ErrorCode = 10023
	tooManyStreams     jetstream.ErrorCode = 10027
	notEnabledForUs    jetstream.ErrorCode = 10039
	noStorage          jetstream.ErrorCode = 10047
	subjectsOverlap    jetstream.ErrorCode = 10065
	notClustered       jetstream.ErrorCode = 10074
	maxBytesRequired   jetstream.ErrorCode = 10113
	noLimitsForTier    jetstream.ErrorCode = 10120
	aboveMaxStreamSize jetstream.ErrorCode = 10122
)

// explain turns the error of a check into an unusableError where an operator has to act. Other errors may go away with
// a retry.
func (s *stream) explain(ctx context.Context, js jetstream.JetStream, err error) error {
	var api *jetstream.APIError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrNoResponders),
		errors.Is(err, jetstream.ErrJetStreamNotEnabled):
		return fmt.Errorf("JetStream does not respond: check that it is enabled at the server: %w", err)
	case !errors.As(err, &api):
		return err
	}
	advice := s.advice(api.ErrorCode)
	if api.ErrorCode == subjectsOverlap && s.opts.InProcess != nil {
		advice = s.adviseOwner(ctx, js)
	}
	if advice == "" && permanent(api) {
		advice = "create it yourself, or change NATS_STREAM, " + s.prefix + ", NATS_REPLICAS, NATS_MAX_AGE or " + s.limit
	}
	if advice == "" {
		return err
	}
	return &unusableError{fmt.Sprintf("stream %s cannot be used or created at NATS: %s (%d): %s",
		s.want.Name, api.Description, api.ErrorCode, advice)}
}

// permanent reports whether a refusal stays until an operator acts. A stream that others create or delete at the same
// moment is no such refusal.
func permanent(err *jetstream.APIError) bool {
	return (err.Code == 400 || err.Code == 403) && err.ErrorCode != jetstream.JSErrCodeStreamNameInUse
}

// advice returns what to do about a refusal; empty: unknown.
func (s *stream) advice(code jetstream.ErrorCode) string {
	size := fmt.Sprintf("lower %s (now %d bytes), delete unused streams, or raise the limit of JetStream storage",
		s.limit, s.want.MaxBytes)
	switch code {
	case noStorage, noResources, accountLimit:
		return size + " of the server or account"
	case aboveMaxStreamSize:
		return fmt.Sprintf("lower %s (now %d bytes) to what the account allows a stream", s.limit, s.want.MaxBytes)
	case maxBytesRequired:
		return fmt.Sprintf("set %s to a size above 0, which this account requires", s.limit)
	case tooManyStreams:
		return "delete a stream, raise the account's limit of streams, or set QUARANTINE_TOPIC to the empty string"
	case notClustered:
		return "set NATS_REPLICAS to 1: the server is not clustered"
	case noPeers:
		return fmt.Sprintf("lower NATS_REPLICAS (now %d) or %s (now %d bytes), or start more servers of the cluster",
			s.want.Replicas, s.limit, s.want.MaxBytes)
	case noLimitsForTier:
		return fmt.Sprintf("set NATS_REPLICAS (now %d) to what the account has JetStream limits for", s.want.Replicas)
	case subjectsOverlap:
		return fmt.Sprintf("another stream has the subjects %q: change %s, "+
			"set NATS_STREAM to that stream's name, or change that stream", s.want.Subjects, s.prefix)
	case notEnabledForUs:
		return "enable JetStream for the account of livebridge's user"
	}
	return ""
}

// adviseOwner returns what to do about a stream of earlier settings on the embedded server.
func (s *stream) adviseOwner(ctx context.Context, js jetstream.JetStream) string {
	owner, err := js.StreamNameBySubject(ctx, s.want.Subjects[0])
	if err != nil {
		return s.advice(subjectsOverlap)
	}
	if s.want.Name == QuarantineStream {
		return fmt.Sprintf("stream %s of the embedded server, from earlier settings, has the subjects %q: "+
			"change QUARANTINE_TOPIC", owner, s.want.Subjects)
	}
	return fmt.Sprintf("stream %s of the embedded server, from earlier settings, has the subjects %q: "+
		"set NATS_STREAM to %s, change NATS_SUBJECT_PREFIX, or stop livebridge and remove DATA_DIR/nats with all its events",
		owner, s.want.Subjects, owner)
}
