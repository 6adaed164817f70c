package nats

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"
)

// ProbeReplicas connects to the servers once and checks the server's version, the streams of replicas and the right to
// write to them, without creating a stream or storing a message. It returns what an operator should know, and an error
// if a replica could not work.
func ProbeReplicas(ctx context.Context, opts Options, group string) (warnings []string, err error) {
	if err := errors.Join(opts.Check(), opts.CheckReplicas(group)); err != nil {
		return nil, err
	}
	return probing(ctx, opts, func(ctx context.Context, js jetstream.JetStream) (warnings []string, err error) {
		if err := checkVersion(js.Conn().ConnectedServerVersion()); err != nil {
			return nil, err
		}
		bucket := opts.bucketOfReplicas(group)
		for _, s := range append(opts.replicaStreams(), bucket) {
			cautions := s.cautions
			if s == bucket {
				cautions = s.bucketCautions
			}
			found, err := s.probeReplica(ctx, js, cautions)
			warnings = append(warnings, found...)
			if err != nil {
				return warnings, denialOr(ctx, err)
			}
		}
		return warnings, nil
	})
}

// probeReplica checks one stream.
func (s *replicaStream) probeReplica(ctx context.Context, js jetstream.JetStream,
	cautions func(jetstream.StreamConfig) []string) (warnings []string, err error) {
	warnings, exists, err := probeConfig(ctx, js, s.want.Name, s.fits, cautions)
	if err != nil || !exists {
		return warnings, err
	}
	if !s.kept {
		return warnings, nil // nobody writes to it
	}
	return warnings, s.probeRight(ctx, js)
}
