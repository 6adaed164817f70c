package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"go.uber.org/zap"

	"livebridge/transports/kafka"
)

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
