package main

import (
	"context"
	"errors"
	"net"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/transports/nats"
	"livebridge/transports/nats/embedded"
)

// embeddedTransport is the NATS server in this process, or in the service on the same DATA_DIR.
type embeddedTransport struct {
	natsTransport
	running *embedded.Publisher // nil: not open
}

func (*embeddedTransport) embedded() bool        { return true }
func (t *embeddedTransport) files() []string     { return []string{t.s.secretFiles["NATS_EMBEDDED_TOKEN"]} }
func (t *embeddedTransport) redactedURL() string { return nats.Redacted(t.url()) }

func (t *embeddedTransport) url() string {
	if t.running != nil {
		return t.running.ClientURL() // its port may have been 0
	}
	return "nats://" + t.s.NATSListen
}

func (t *embeddedTransport) open(log *zap.Logger, consumers int) (publisher, error) {
	o := t.s.embeddedOptions()
	o.MaxConsumers = consumers
	e, err := embedded.Start(o, t.s.natsOptions(log))
	var setting *bridge.SettingError
	switch {
	case err == nil:
		t.running = e
		return e, nil
	case errors.As(err, &setting):
		return nil, &usageError{err}
	}
	return nil, err
}

// probe checks that the embedded server could listen.
func (t *embeddedTransport) probe(context.Context) []checkResult {
	if client, err := admin.DialControl(t.s.DataDir); err == nil {
		_ = client.Close() // nothing was requested
		return []checkResult{passed("broker", "the embedded server of the service that runs on DATA_DIR")}
	}
	l, err := net.Listen("tcp", t.s.NATSListen)
	if err != nil {
		return []checkResult{failed("broker", settingError("NATS_EMBEDDED_LISTEN",
			"use an address of this machine that is free", "%w", err))}
	}
	if err := l.Close(); err != nil {
		return []checkResult{failed("broker", err)}
	}
	return []checkResult{passed("broker", "the embedded server can listen on %s", t.s.NATSListen)}
}

// consume shows the embedded server's token. At another address than its own it consumes as from any server.
func (t *embeddedTransport) consume(
	ctx context.Context, log *zap.Logger, at string, all bool, f func(message) error,
) error {
	return consumeNATS(ctx, t.consumerOptions(log, at), all, f)
}

func (t *embeddedTransport) consumerOptions(log *zap.Logger, at string) nats.Options {
	o := t.s.natsOptions(log)
	o.URL, o.Token, o.TokenFile = at, t.s.NATSEmbedToken, t.s.secretFiles["NATS_EMBEDDED_TOKEN"]
	if at == t.url() {
		o.InboxPrefix = "" // consumers of the embedded server use the client's own
	}
	return o
}
