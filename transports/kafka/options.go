// Package kafka publishes events to Apache Kafka: acknowledged by all in-sync replicas, partitioned like the Java
// client, by an idempotent producer, so that a lost answer causes neither duplicates nor reordering. It is the only
// importer of kafka-go.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"livebridge/transports/kafka/membership"
	"livebridge/transports/kafka/producer"
	"livebridge/transports/transporttls"

	"go.uber.org/zap"

	"livebridge/bridge"
)

// Options configure a Publisher. Start from DefaultOptions.
type Options struct {
	Brokers string // host:port of one or more brokers of one cluster, comma-separated

	// topics
	Topic       string        // of events; may contain {domain}, {app} and {kind}
	Quarantine  string        // of quarantine notices; empty: not published
	Create      bool          // create absent topics
	Partitions  int           // of topics that are created
	Replication int           // of topics that are created; -1: the broker's default
	Dedupe      time.Duration // DEDUPE_WINDOW: a topic that retains events for less gets a warning

	// format
	Binary      bool   // CloudEvents binary mode instead of structured mode
	Compression string // none, gzip, snappy, lz4 or zstd

	// credentials
	SASL, User, Password      string // SASL: none, plain, scram-sha-256 or scram-sha-512
	TLS                       bool
	CAFile, CertFile, KeyFile string
	TLSVerify                 string                            // full, ca or none; empty: full
	TLSServerName             string                            // to verify instead of the host of the address
	PasswordFile              string                            // instead of Password
	ReadFile                  func(path string) ([]byte, error) // reads the files, at every connection

	AckTimeout time.Duration // an event without an acknowledgement for so long is unavailable
	Log        *zap.Logger

	// set by tests
	dial            func(ctx context.Context, network, address string) (net.Conn, error)
	checkInterval   time.Duration // between two checks of the topics
	remindInterval  time.Duration // between two log lines of the same alarm
	producerIDRetry time.Duration // between two requests for a producer id that was denied
	session         time.Duration // of a replica that is gone
	transaction     time.Duration // that a replica's may take; a dead one holds up readers for so long
	firstSequence   int32         // sequence of a partition's first record
}

// DefaultOptions returns the product's defaults.
func DefaultOptions() Options {
	return Options{
		Brokers: "127.0.0.1:9092", Topic: "live.events", Quarantine: "live.quarantine",
		Create: true, Partitions: 12, Replication: -1, Dedupe: 24 * time.Hour,
		Compression: "lz4", SASL: "none", TLSVerify: transporttls.VerifyFull, AckTimeout: 5 * time.Second,
		Log: zap.NewNop(), ReadFile: os.ReadFile,
		dial: (&net.Dialer{Timeout: 3 * time.Second}).DialContext, checkInterval: 10 * time.Second,
		remindInterval: time.Minute, producerIDRetry: time.Minute, session: membership.Session,
		transaction: 10 * time.Second,
	}
}

// Check returns every error in the options, each with the name of its setting. It reads the files that they name, and
// connects to nothing.
func (o *Options) Check() error {
	var errs []error
	wrong := func(bad bool, setting, format string, args ...any) {
		if bad {
			errs = append(errs, settingError(setting, fmt.Errorf(format, args...)))
		}
	}
	for _, broker := range o.brokers() {
		_, port, err := net.SplitHostPort(broker)
		wrong(err != nil || port == "", "KAFKA_BROKERS", "invalid address %q: use host:port", broker)
	}
	wrong(len(o.brokers()) == 0, "KAFKA_BROKERS", "is empty: set host:port of one or more brokers, separated by commas")
	if err := template(o.Topic).check(); err != nil {
		errs = append(errs, settingError("KAFKA_TOPIC", err))
	}
	if o.Quarantine != "" {
		err := checkTopic(o.Quarantine)
		wrong(err != nil, "QUARANTINE_TOPIC", "%w", err)
		wrong(o.Quarantine == o.Topic, "QUARANTINE_TOPIC",
			"%q is also KAFKA_TOPIC: set different topics for events and quarantine", o.Quarantine)
	}
	wrong(o.Partitions < 1, "KAFKA_PARTITIONS", "%d is too small: use 1 or more", o.Partitions)
	wrong(o.Replication < 1 && o.Replication != -1, "KAFKA_REPLICATION",
		"%d is out of range: use 1 or more, or -1 for the broker's default", o.Replication)
	_, err := producer.Compression(o.Compression)
	wrong(err != nil, "KAFKA_COMPRESSION", "%w", err)
	errs = append(errs, o.checkCredentials()...)
	errs = append(errs, o.tlsClient().Check())
	_, err = openCredentials(o)
	return errors.Join(append(errs, err)...)
}

func (o *Options) brokers() []string {
	list := strings.Split(o.Brokers, ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return slices.DeleteFunc(list, func(b string) bool { return b == "" })
}

// settingPrefix begins the name of every setting.
const settingPrefix = bridge.SettingPrefix

// settingError returns the error of one setting. err says what is wrong and what to do.
func settingError(setting string, err error) error { return bridge.NewSettingError(setting, err, "") }
