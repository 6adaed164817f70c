package nats

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ProbeReplicas connects to the servers once and checks the server's version, the streams of replicas and the right to
// write to them, without creating a stream or storing a message. It returns what an operator should know, and an error
// if a replica could not work.
func ProbeReplicas(ctx context.Context, opts Options, group string) (warnings []string, err error) {
	if err := errors.Join(opts.Check(), opts.CheckReplicas(group)); err != nil {
		return nil, err
	}
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
	if err == nil {
		err = checkVersion(conn.ConnectedServerVersion())
	}
	if err != nil {
		return nil, err
	}
	for _, s := range opts.replicaStreams() {
		found, err := s.probeReplica(ctx, js)
		warnings = append(warnings, found...)
		if err != nil {
			return warnings, denialOr(ctx, err)
		}
	}
	return warnings, nil
}

// probeReplica checks one stream.
func (s *replicaStream) probeReplica(ctx context.Context, js jetstream.JetStream) (warnings []string, err error) {
	found, err := js.Stream(ctx, s.want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return []string{fmt.Sprintf("stream %s does not exist; it is created at the start", s.want.Name)}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s cannot be read: %w", s.want.Name, err)
	}
	have := found.CachedInfo().Config
	if err := s.fits(have); err != nil {
		return nil, err
	}
	for _, text := range s.cautions(have) {
		warnings = append(warnings, fmt.Sprintf("stream %s: %s", s.want.Name, text))
	}
	if !s.kept {
		return warnings, nil // nobody writes to it
	}
	return warnings, s.probeRight(ctx, js)
}
