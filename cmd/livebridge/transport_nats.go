package main

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"livebridge/transports/nats"
)

// natsTransport is the NATS servers of NATS_URL.
type natsTransport struct{ s *settings }

func (natsTransport) name() string          { return "nats" }
func (natsTransport) embedded() bool        { return false }
func (t natsTransport) url() string         { return t.s.NATSURL }
func (t natsTransport) redactedURL() string { return nats.Redacted(t.url()) }
func (t natsTransport) destination() string { return "NATS JetStream stream " + t.s.NATSStream }

func (t natsTransport) check() error {
	o := t.s.natsOptions(zap.NewNop())
	if t.s.Intake == "broker" {
		return errors.Join(o.Check(), o.CheckReplicas(t.s.IntakeGroup))
	}
	return o.Check()
}

func (t natsTransport) files() []string {
	return []string{t.s.secretFiles["NATS_PASSWORD"], t.s.secretFiles["NATS_TOKEN"], t.s.NATSCredsFile, t.s.NATSNKeyFile,
		t.s.NATSCAFile, t.s.NATSCertFile, t.s.NATSKeyFile}
}

func (t natsTransport) open(log *zap.Logger, _ int) (publisher, error) {
	p, err := nats.Dial(t.s.natsOptions(log))
	return p, asUsageError(err)
}

func (t natsTransport) share(ctx context.Context, log *zap.Logger) (shared, error) {
	r, err := nats.OpenReplicas(ctx, t.s.natsOptions(log), t.s.IntakeGroup)
	return r, asUsageError(err)
}

func (t natsTransport) probe(ctx context.Context) []checkResult {
	if t.s.Intake == "broker" {
		warnings, err := nats.ProbeReplicas(ctx, t.s.natsOptions(zap.NewNop()), t.s.IntakeGroup)
		return probeResults(t, warnings, err)
	}
	warnings, err := nats.Probe(ctx, t.s.natsOptions(zap.NewNop()))
	return probeResults(t, warnings, err)
}

func (t natsTransport) consume(ctx context.Context, log *zap.Logger, at string, all bool, f func(message) error) error {
	o := t.s.natsOptions(log)
	o.URL = at
	return consumeNATS(ctx, o, all, f)
}

func consumeNATS(ctx context.Context, o nats.Options, all bool, f func(message) error) error {
	start := nats.StartNew
	if all {
		start = nats.StartAll
	}
	return nats.Consume(ctx, o, start, func(r nats.Record) error {
		return f(message{where: r.Subject, payload: r.Payload, attribute: func(name string) string {
			if values := r.Header["ce-"+name]; len(values) > 0 {
				return values[0]
			}
			return ""
		}})
	})
}

// demo uses an embedded server on a free port.
func (natsTransport) demo(map[string]string) map[string]string {
	return map[string]string{"NATS_EMBEDDED_LISTEN": "127.0.0.1:0"}
}

func (natsTransport) cleanUp(context.Context, *zap.Logger) error { return nil }
