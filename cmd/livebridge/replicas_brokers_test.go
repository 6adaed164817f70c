//go:build brokers

package main

import (
	"context"
	"strings"
	"testing"

	"livebridge/transports/kafka"
	"livebridge/transports/kafka/kafkatest"
)

// kafkaBroker is Apache Kafka with four partitions.
func kafkaBroker(t *testing.T) *replicaBroker {
	t.Helper()
	c := kafkatest.Start(t, kafkatest.Options{})
	brokers := strings.Join(c.Brokers(), ",")
	return &replicaBroker{
		settings: []string{prefix + "TRANSPORT=kafka", prefix + "KAFKA_BROKERS=" + brokers, prefix + "KAFKA_PARTITIONS=4"},
		begin:    func() { c.Begin(t, 0); c.Await(t, 0) }, kill: func() { c.Kill(0) },
		consume: committedAt(brokers),
	}
}

// TestReplicasKafka runs replicas on Kafka as processes of their own.
func TestReplicasKafka(t *testing.T) { killReplicas(t, kafkaBroker(t), 4) }

// TestReplicaWithoutKafka does the same with a broker that goes away.
func TestReplicaWithoutKafka(t *testing.T) { withoutItsBroker(t, kafkaBroker(t)) }

// launchReplica starts a replica on a broker.
func launchReplica(t *testing.T, dir, brokers string, more ...string) *program {
	t.Helper()
	return launch(t, dir, append([]string{prefix + "TRANSPORT=kafka", prefix + "INTAKE=broker",
		prefix + "KAFKA_BROKERS=" + brokers, prefix + "KAFKA_PARTITIONS=4"}, more...)...)
}

// judgeReplicas compares what was answered 200 with what readers of committed records see.
func (p *playedProvider) judgeReplicas(t *testing.T, brokers string) {
	t.Helper()
	p.judgeTopic(t, committedAt(brokers))
}

// committedAt reads committed records.
func committedAt(brokers string) func(ctx context.Context, out func([]byte) error) error {
	o := kafka.DefaultOptions()
	o.Brokers = brokers
	return func(ctx context.Context, out func([]byte) error) error {
		return kafka.Consume(ctx, o, kafka.StartAll, func(r kafka.Record) error { return out(r.Payload) })
	}
}
