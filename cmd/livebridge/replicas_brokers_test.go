//go:build brokers

package main

import (
	"context"
	"testing"

	"livebridge/transports/kafka"
	"livebridge/transports/kafka/kafkatest"
)

// kafkaBroker is Apache Kafka with four partitions.
func kafkaBroker(t *testing.T) *replicaBroker {
	t.Helper()
	c := kafkatest.Start(t, kafkatest.Options{})
	b := kafkaReplicas(joined(c))
	b.begin, b.kill = func() { c.Begin(t, 0); c.Await(t, 0) }, func() { c.Kill(0) }
	return b
}

// kafkaReplicas is what replicas on a broker share.
func kafkaReplicas(brokers string) *replicaBroker {
	return &replicaBroker{
		settings: []string{prefix + "TRANSPORT=kafka", prefix + "KAFKA_BROKERS=" + brokers, prefix + "KAFKA_PARTITIONS=4"},
		consume:  committedAt(brokers),
	}
}

// TestReplicasKafka runs replicas on Kafka as processes of their own.
func TestReplicasKafka(t *testing.T) { killReplicas(t, kafkaBroker(t), 4) }

// TestReplicaWithoutKafka does the same with a broker that goes away.
func TestReplicaWithoutKafka(t *testing.T) { withoutItsBroker(t, kafkaBroker(t)) }

// committedAt reads committed records.
func committedAt(brokers string) func(ctx context.Context, out func([]byte) error) error {
	o := kafka.DefaultOptions()
	o.Brokers = brokers
	return func(ctx context.Context, out func([]byte) error) error {
		return kafka.Consume(ctx, o, kafka.StartAll, func(r kafka.Record) error { return out(r.Payload) })
	}
}
