package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Probe connects to the servers once and checks the streams and the right to publish to them, without creating a stream
// or storing a message. It returns what an operator should know, and an error if publishing would not succeed. It is
// not for the embedded server.
func Probe(ctx context.Context, opts Options) (warnings []string, err error) {
	if err := opts.Check(); err != nil {
		return nil, err
	}
	return probing(ctx, opts, func(ctx context.Context, js jetstream.JetStream) (warnings []string, err error) {
		for _, s := range newStreams(&opts).all() {
			found, err := s.probe(ctx, js)
			warnings = append(warnings, found...)
			if err != nil {
				return warnings, denialOr(ctx, err)
			}
		}
		return warnings, nil
	})
}

// probing has check work on a connection of its own. The context that it gets ends with the permission that is missing.
func probing(
	ctx context.Context, opts Options, check func(context.Context, jetstream.JetStream) ([]string, error),
) (warnings []string, err error) {
	l, err := newConnector(&opts)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	conn, err := l.connect(opts.URL, nats.RetryOnFailedConnect(false), nats.CustomInboxPrefix(opts.inbox()),
		onDenial(func(d denial) { end(d.missingPermission()) }))
	if err != nil {
		return nil, fmt.Errorf("cannot connect to NATS at %s: %w", Redacted(opts.URL), err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	return check(ctx, js)
}

// probe checks one stream.
func (s *stream) probe(ctx context.Context, js jetstream.JetStream) (warnings []string, err error) {
	warnings, exists, err := probeConfig(ctx, js, s.want.Name, s.checkConfig, s.warnings)
	if err != nil || !exists {
		return warnings, err
	}
	return warnings, s.probeRight(ctx, js)
}

// probeConfig checks the configuration of a stream, if it exists.
func probeConfig(
	ctx context.Context, js jetstream.JetStream, name string,
	fits func(jetstream.StreamConfig) error, cautions func(jetstream.StreamConfig) []string,
) (warnings []string, exists bool, err error) {
	found, err := js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return []string{fmt.Sprintf("stream %s does not exist; it is created at the start", name)}, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("stream %s cannot be read: %w", name, err)
	}
	have := found.CachedInfo().Config
	if err := fits(have); err != nil {
		return nil, true, err
	}
	for _, text := range cautions(have) {
		warnings = append(warnings, fmt.Sprintf("stream %s: %s", name, text))
	}
	return warnings, true, nil
}

// probeRight publishes a message that the stream rejects, since it is for another one. The server checks the user's
// permission before that.
func (s *stream) probeRight(ctx context.Context, js jetstream.JetStream) error {
	const streamMismatch = 10060
	subject := strings.ReplaceAll(s.needed[0], "*", "probe")
	_, err := js.PublishMsg(ctx, &nats.Msg{Subject: subject},
		jetstream.WithExpectStream(s.want.Name+"-none"), jetstream.WithRetryAttempts(0))
	var api *jetstream.APIError
	if err == nil || errors.As(err, &api) && int(api.ErrorCode) == streamMismatch {
		return nil
	}
	return fmt.Errorf("cannot publish to %s: %w", subject, err)
}
