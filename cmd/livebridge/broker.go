package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/filewatch"
	"livebridge/transports/kafka"
	"livebridge/transports/nats"
	"livebridge/transports/nats/embedded"
)

// transport is a publisher whose credentials can be reloaded.
type transport interface {
	bridge.Publisher
	Reload() error   // reads the files of credentials again
	Connected() bool // the broker responds, and the stream or topic of events is usable
}

// connectedMetric returns the metric of the connection to the broker.
func connectedMetric(t transport) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "livebridge_broker_connected",
		Help: "1 while the broker responds and the stream or topic of events is usable, otherwise 0, whether or not there " +
			"are events; livebridge_broker_available tells whether publishing them succeeds."},
		func() float64 {
			if t.Connected() {
				return 1
			}
			return 0
		})
}

// failureNotifier is a publisher that a local failure can end, such as one of the embedded server's disk. Errors of a
// broker are no such failure.
type failureNotifier interface {
	Failed() <-chan error
}

// failureOf returns the channel of a publisher's local failure; nil: it has none.
func failureOf(p bridge.Publisher) <-chan error {
	if f, can := p.(failureNotifier); can {
		return f.Failed()
	}
	return nil
}

// connect makes the publisher of the configured transport.
func (a *app) connect() (err error) {
	s := a.settings
	if a.credentials, err = newCredentials(s.brokerFiles(), a.log, a.registry); err != nil {
		return err
	}
	switch {
	case s.Transport == "kafka":
		a.publisher, err = kafka.Dial(s.kafkaOptions(a.log))
	case s.NATSURL != "":
		a.publisher, err = nats.Dial(s.natsOptions(a.log))
	default:
		o := s.embeddedOptions()
		o.MaxConsumers = a.files.consumers
		a.publisher, err = embedded.Start(o, s.natsOptions(a.log))
	}
	if err == nil {
		a.credentials.reload = a.publisher.Reload
		return a.registry.Register(connectedMetric(a.publisher))
	}
	a.publisher = nil // not a nil of the publisher's type
	var setting *nats.SettingError
	if s.embedded() && !errors.As(err, &setting) {
		return err // a local failure, not a wrong setting
	}
	return &usageError{err}
}

// embedded reports whether the broker is the server in this process.
func (s *settings) embedded() bool { return s.Transport != "kafka" && s.NATSURL == "" }

func (s *settings) embeddedOptions() embedded.Options {
	return embedded.Options{StoreDir: embedded.StoreDir(s.DataDir), Listen: s.NATSListen, Token: s.NATSEmbedToken,
		TokenFile: s.secretFiles["NATS_EMBEDDED_TOKEN"], ReadFile: filewatch.Read}
}

func (s *settings) natsOptions(log *zap.Logger) nats.Options {
	o := nats.DefaultOptions()
	o.URL, o.Stream, o.SubjectPrefix, o.Quarantine = s.NATSURL, s.NATSStream, s.NATSPrefix, s.QuarantineTopic
	o.Partitions = s.NATSPartitions
	o.Replicas, o.MaxAge, o.MaxBytes = s.NATSReplicas, s.NATSMaxAge, int64(s.NATSMaxBytes)
	o.QuarantineMaxBytes, o.Dedupe, o.InboxPrefix = int64(s.QuarantineBytes), s.DedupeWindow, s.NATSInbox
	o.CredsFile, o.NKeyFile, o.Token = s.NATSCredsFile, s.NATSNKeyFile, s.NATSToken
	o.User, o.Password = s.NATSUser, s.NATSPassword
	o.PasswordFile, o.TokenFile, o.ReadFile = s.secretFiles["NATS_PASSWORD"], s.secretFiles["NATS_TOKEN"], filewatch.Read
	o.CAFile, o.CertFile, o.KeyFile = s.NATSCAFile, s.NATSCertFile, s.NATSKeyFile
	o.TLSVerify, o.TLSServerName = s.NATSTLSVerify, s.NATSServerName
	o.Binary, o.Log = s.EventMode == "binary", log
	return o
}

func (s *settings) kafkaOptions(log *zap.Logger) kafka.Options {
	o := kafka.DefaultOptions()
	o.Brokers, o.Topic, o.Quarantine, o.Dedupe = s.KafkaBrokers, s.KafkaTopic, s.QuarantineTopic, s.DedupeWindow
	o.Create, o.Partitions, o.Replication = s.KafkaCreate, s.KafkaPartitions, s.KafkaReplication
	o.Compression = s.KafkaCompression
	o.SASL, o.User, o.Password = s.KafkaSASL, s.KafkaUser, s.KafkaPassword
	o.PasswordFile, o.ReadFile = s.secretFiles["KAFKA_PASSWORD"], filewatch.Read
	o.TLS, o.CAFile, o.CertFile, o.KeyFile = s.KafkaTLS, s.KafkaCAFile, s.KafkaCertFile, s.KafkaKeyFile
	o.TLSVerify, o.TLSServerName = s.KafkaTLSVerify, s.KafkaServerName
	o.Binary, o.Log = s.EventMode == "binary", log
	return o
}

// consumersURL returns the address at which events can be consumed.
func (a *app) consumersURL() string {
	if e, is := a.publisher.(*embedded.Publisher); is {
		return e.ClientURL() // its port may have been 0
	}
	return a.settings.consumersURL()
}

func (s *settings) consumersURL() string {
	switch {
	case s.Transport == "kafka":
		return s.KafkaBrokers
	case s.NATSURL != "":
		return s.NATSURL
	}
	return "nats://" + s.NATSListen
}

// redactedURL returns consumersURL without credentials.
func (a *app) redactedURL() string {
	if a.settings.Transport == "kafka" {
		return a.consumersURL()
	}
	return nats.Redacted(a.consumersURL())
}

// checkBroker checks the settings of the configured transport.
func (s *settings) checkBroker() error {
	if s.Transport == "kafka" {
		o := s.kafkaOptions(zap.NewNop())
		return o.Check()
	}
	o := s.natsOptions(zap.NewNop())
	return o.Check()
}

// checkTransport rejects settings of the transport that is not used: they have no effect, and whoever set them expects
// one.
func (s *settings) checkTransport() []error {
	other, found := map[string]string{"nats": "KAFKA", "kafka": "NATS"}[s.Transport]
	if !found {
		return nil
	}
	var errs []error
	defaults := defaultSettings()
	for i, f := range s.fields() {
		if strings.HasPrefix(f.name, other+"_") && f.value != defaults[i].value {
			errs = append(errs, settingError(f.name, "is set although TRANSPORT is %s, where it has no effect: "+
				"unset it, or set TRANSPORT=%s", s.Transport, strings.ToLower(other)))
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

// reachable returns why none of some addresses, separated by commas, accepts a connection; nil if one does.
func reachable(ctx context.Context, addresses string) error {
	var errs []error
	for address := range strings.SplitSeq(addresses, ",") {
		conn, err := (&net.Dialer{Timeout: reachTimeout}).DialContext(ctx, "tcp", strings.TrimSpace(address))
		if err == nil {
			return conn.Close()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// reachTimeout bounds the wait for one connection.
const reachTimeout = 5 * time.Second

// message is an event as consumed from either broker.
type message struct {
	where     string                   // subject or topic
	attribute func(name string) string // from the headers of binary mode
	payload   []byte
}

// consume calls f for the events of the broker at an address, for all or only new ones. It logs interruptions.
func (s *settings) consume(ctx context.Context, log *zap.Logger, at string, all bool, f func(message) error) error {
	if s.Transport == "kafka" {
		return s.consumeKafka(ctx, log, at, all, f)
	}
	o, start := s.natsOptions(log), nats.StartNew
	o.URL = at
	if s.embedded() && at == s.consumersURL() {
		o.InboxPrefix = "" // consumers of the embedded server use the client's own
	}
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

func (s *settings) consumeKafka(
	ctx context.Context, log *zap.Logger, brokers string, all bool, f func(message) error,
) error {
	o, start := s.kafkaOptions(log), kafka.StartNew
	o.Brokers = brokers
	if all {
		start = kafka.StartAll
	}
	return kafka.Consume(ctx, o, start, func(r kafka.Record) error {
		return f(message{where: fmt.Sprintf("%s, partition %d", r.Topic, r.Partition), payload: r.Payload,
			attribute: func(name string) string { return r.Header["ce_"+name] }})
	})
}
