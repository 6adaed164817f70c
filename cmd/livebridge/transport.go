package main

import (
	"context"
	"strings"
	"sync"

	"github.com/caarlos0/env/v11"
	"go.uber.org/zap"
)

// transport is what TRANSPORT and NATS_URL choose: where events are published, and where they are consumed.
type transport interface {
	name() string        // the value of TRANSPORT
	check() error        // of its settings; connects to nothing
	files() []string     // of credentials and trusted authorities; one that is not set is empty
	embedded() bool      // it is the server in this process, so that consumers need open files here
	destination() string // names the stream or topic of events

	// open makes the publisher. consumers bounds those of the embedded server. The error is of the settings, unless the
	// embedded server fails for another reason.
	open(log *zap.Logger, consumers int) (publisher, error)
	// share opens what many replicas share, and waits for the broker until ctx ends.
	share(ctx context.Context, log *zap.Logger) (shared, error)
	// probe checks the broker, the topics or streams, and the right to publish. It changes nothing.
	probe(ctx context.Context) []checkResult
	// url returns the address at which events can be consumed: of an embedded server that is open, the one it has.
	url() string
	redactedURL() string // url without credentials
	// consume calls f for the events at an address, for all or only new ones, until it fails or ctx ends. It logs
	// interruptions.
	consume(ctx context.Context, log *zap.Logger, at string, all bool, f func(message) error) error
	// demo returns the settings of a run that leaves nothing behind after cleanUp, given the variables of the environment.
	demo(vars map[string]string) map[string]string
	cleanUp(ctx context.Context, log *zap.Logger) error
}

// transport returns the configured transport. It is the only place that chooses one.
func (s *settings) transport() transport {
	switch {
	case s.Transport == "kafka":
		return kafkaTransport{s}
	case s.NATSURL != "":
		return natsTransport{s}
	}
	return &embeddedTransport{natsTransport: natsTransport{s}}
}

// message is an event as consumed from any broker.
type message struct {
	where     string                   // subject or topic
	attribute func(name string) string // from the headers of binary mode
	payload   []byte
}

// checkTransport rejects settings of the transport that is not used: they have no effect, and whoever set them expects
// one.
func (s *settings) checkTransport() []error {
	other, found := map[string]string{"nats": "KAFKA", "kafka": "NATS"}[s.Transport]
	if !found {
		return nil
	}
	return s.checkUnused(other+"_", "set TRANSPORT="+strings.ToLower(other),
		"is set although TRANSPORT is %s, where it has no effect", s.Transport)
}

// checkUnused rejects settings whose names begin so and that are not their default.
func (s *settings) checkUnused(begin, otherwise, problem string, args ...any) (errs []error) {
	defaults := defaultSettings()
	for i, f := range s.fields() {
		if strings.HasPrefix(f.name, begin) && f.value != defaults[i].value {
			errs = append(errs, settingError(f.name, "unset it, or "+otherwise, problem, args...))
		}
	}
	return errs
}

// defaultSettings returns every setting with its default.
var defaultSettings = sync.OnceValue(func() []field {
	s := &settings{}
	_ = env.ParseWithOptions(s, env.Options{Prefix: prefix, Environment: map[string]string{}}) // of constants
	return s.fields()
})
