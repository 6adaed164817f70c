// Package kafka publishes events to Apache Kafka: acknowledged by all in-sync replicas, partitioned like the Java client,
// by an idempotent producer, so that a lost answer leaves neither a repeat nor an inversion. It is the only importer of
// kafka-go.
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

	"go.uber.org/zap"
)

// Options say where events go. Start from DefaultOptions.
type Options struct {
	// where
	Brokers string // host:port of one or more brokers of one cluster, comma-separated

	// the topics
	Topic       string        // of events; {domain}, {app} and {kind} may stand in it
	Quarantine  string        // of quarantine notices; empty: not published
	Create      bool          // topics that are absent are created
	Partitions  int           // of topics that are created
	Replication int           // of topics that are created; -1: the broker's default
	Dedupe      time.Duration // DEDUPE_WINDOW: a topic that keeps events for less is warned of

	// how events are written
	Binary      bool   // CloudEvents binary mode instead of structured mode
	Compression string // none, gzip, snappy, lz4 or zstd

	// who we are
	SASL, User, Password      string // SASL: none, plain, scram-sha-256 or scram-sha-512
	TLS                       bool
	CAFile, CertFile, KeyFile string
	PasswordFile              string                            // instead of Password
	ReadFile                  func(path string) ([]byte, error) // of these files, at every connection

	AckTimeout time.Duration // without an answer for so long an event counts as not taken
	Log        *zap.Logger

	// set by tests
	dial            func(ctx context.Context, network, address string) (net.Conn, error)
	checkInterval   time.Duration // between two looks at the topics
	remindInterval  time.Duration // between two alarms about the same
	producerIDRetry time.Duration // between two questions for an identity that was denied
	firstSequence   int32         // sequence of a partition's first record
}

// DefaultOptions returns the product's defaults.
func DefaultOptions() Options {
	return Options{
		Brokers: "127.0.0.1:9092", Topic: "live.events", Quarantine: "live.quarantine", Create: true, Partitions: 12, Replication: -1,
		Dedupe: 24 * time.Hour, Compression: "lz4", SASL: "none", AckTimeout: 5 * time.Second,
		Log: zap.NewNop(), ReadFile: os.ReadFile,
		dial: (&net.Dialer{Timeout: 3 * time.Second}).DialContext, checkInterval: 10 * time.Second,
		remindInterval: time.Minute, producerIDRetry: time.Minute,
	}
}

// Check refuses what no broker could work with. All mistakes are in the error, each with the name of its setting.
func (o *Options) Check() error {
	var errs []error
	wrong := func(bad bool, setting, format string, args ...any) {
		if bad {
			errs = append(errs, settingError(setting, fmt.Errorf(format, args...)))
		}
	}
	for _, broker := range o.brokers() {
		_, port, err := net.SplitHostPort(broker)
		wrong(err != nil || port == "", "KAFKA_BROKERS", "%q is not host:port", broker)
	}
	wrong(len(o.brokers()) == 0, "KAFKA_BROKERS", "is empty: set host:port of one or more brokers, separated by commas")
	if err := template(o.Topic).check(); err != nil {
		errs = append(errs, settingError("KAFKA_TOPIC", err))
	}
	if o.Quarantine != "" {
		err := checkTopic(o.Quarantine)
		wrong(err != nil, "QUARANTINE_TOPIC", "%w", err)
		wrong(o.Quarantine == o.Topic, "QUARANTINE_TOPIC", "%q is KAFKA_TOPIC too: events and quarantine need topics of their own", o.Quarantine)
	}
	wrong(o.Partitions < 1, "KAFKA_PARTITIONS", "%d is too small; use 1 or more", o.Partitions)
	wrong(o.Replication < 1 && o.Replication != -1, "KAFKA_REPLICATION", "%d is neither -1, the broker's default, nor 1 or more", o.Replication)
	_, err := compressionOf(o.Compression)
	wrong(err != nil, "KAFKA_COMPRESSION", "%w", err)
	errs = append(errs, o.checkCredentials()...)
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

func settingError(setting string, err error) error {
	return fmt.Errorf("LIVEBRIDGE_%s: %w", setting, err)
}
