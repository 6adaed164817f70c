package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/transports/kafka"
	"livebridge/transports/nats"
	"livebridge/transports/nats/embedded"
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
func defaultSettings() []field {
	s := &settings{}
	_ = env.ParseWithOptions(s, env.Options{Prefix: prefix, Environment: map[string]string{}}) // of constants
	return s.fields()
}

// kafkaTransport is Kafka, with TRANSPORT=kafka.
type kafkaTransport struct{ s *settings }

func (kafkaTransport) name() string          { return "kafka" }
func (kafkaTransport) embedded() bool        { return false }
func (t kafkaTransport) url() string         { return t.s.KafkaBrokers }
func (t kafkaTransport) redactedURL() string { return t.s.KafkaBrokers }
func (t kafkaTransport) destination() string { return "Kafka topic " + t.s.KafkaTopic }

func (t kafkaTransport) check() error {
	o := t.s.kafkaOptions(zap.NewNop())
	if t.s.Intake == "broker" {
		return errors.Join(o.Check(), o.CheckReplicas(t.s.IntakeGroup))
	}
	return o.Check()
}

func (t kafkaTransport) files() []string {
	return []string{t.s.secretFiles["KAFKA_PASSWORD"], t.s.KafkaCAFile, t.s.KafkaCertFile, t.s.KafkaKeyFile}
}

func (t kafkaTransport) open(log *zap.Logger, _ int) (publisher, error) {
	p, err := kafka.Dial(t.s.kafkaOptions(log))
	return p, asUsageError(err)
}

func (t kafkaTransport) share(ctx context.Context, log *zap.Logger) (shared, error) {
	r, err := kafka.OpenReplicas(ctx, t.s.kafkaOptions(log), t.s.IntakeGroup)
	return r, asUsageError(err)
}

func (t kafkaTransport) probe(ctx context.Context) []checkResult {
	if t.s.Intake == "broker" {
		return replicaResults(kafka.ProbeReplicas(ctx, t.s.kafkaOptions(zap.NewNop()), t.s.IntakeGroup))
	}
	warnings, err := kafka.Probe(ctx, t.s.kafkaOptions(zap.NewNop()))
	return probeResults(t, warnings, err)
}

// reachTimeout bounds the wait for one connection to Kafka.
const reachTimeout = 5 * time.Second

// reach returns why none of the brokers at an address accepts a connection; nil if one does.
func (kafkaTransport) reach(ctx context.Context, brokers string) error {
	var errs []error
	for address := range strings.SplitSeq(brokers, ",") {
		conn, err := (&net.Dialer{Timeout: reachTimeout}).DialContext(ctx, "tcp", strings.TrimSpace(address))
		if err == nil {
			return conn.Close()
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("cannot connect to Kafka at %s: %w", brokers, errors.Join(errs...))
}

func (t kafkaTransport) consume(
	ctx context.Context, log *zap.Logger, at string, all bool, f func(message) error,
) error {
	if err := t.reach(ctx, at); err != nil {
		return err
	}
	o, start := t.s.kafkaOptions(log), kafka.StartNew
	o.Brokers = at
	if all {
		start = kafka.StartAll
	}
	return kafka.Consume(ctx, o, start, func(r kafka.Record) error {
		return f(message{where: fmt.Sprintf("%s, partition %d", r.Topic, r.Partition), payload: r.Payload,
			attribute: func(name string) string { return r.Header["ce_"+name] }})
	})
}

// demo uses the brokers of the environment, and topics of its own.
func (kafkaTransport) demo(vars map[string]string) map[string]string {
	topic := fmt.Sprintf("livebridge.demo.%x", time.Now().UnixNano())
	all := map[string]string{"TRANSPORT": "kafka"}
	for name, value := range vars {
		if name, found := strings.CutPrefix(name, prefix); found && strings.HasPrefix(name, "KAFKA_") {
			all[name] = value
		}
	}
	all["KAFKA_TOPIC"], all["QUARANTINE_TOPIC"] = topic, topic+".quarantine"
	all["KAFKA_PARTITIONS"], all["KAFKA_CREATE_TOPIC"] = "1", "true"
	return all
}

// cleanUp deletes the topics.
func (t kafkaTransport) cleanUp(ctx context.Context, log *zap.Logger) error {
	return kafka.Remove(ctx, t.s.kafkaOptions(log))
}

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
