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
	return replicaKafka(t, kafkatest.Start(t, kafkatest.Options{}))
}

// replicaKafka is a cluster whose first broker is the one that is killed.
func replicaKafka(t *testing.T, c *kafkatest.Cluster) *replicaBroker {
	o := kafka.DefaultOptions()
	o.Brokers = strings.Join(c.Brokers(), ",")
	return &replicaBroker{
		settings: []string{prefix + "TRANSPORT=kafka", prefix + "KAFKA_BROKERS=" + o.Brokers, prefix + "KAFKA_PARTITIONS=4"},
		begin:    func() { c.Begin(t, 0); c.Await(t, 0) }, kill: func() { c.Kill(0) },
		consume: func(ctx context.Context, out func([]byte) error) error {
			return kafka.Consume(ctx, o, kafka.StartAll, func(r kafka.Record) error { return out(r.Payload) })
		},
	}
}

// TestReplicasKafka runs replicas on Kafka as processes of their own.
func TestReplicasKafka(t *testing.T) { killReplicas(t, kafkaBroker(t), 4) }

// TestReplicaWithoutKafka does the same with a broker that goes away.
func TestReplicaWithoutKafka(t *testing.T) { withoutItsBroker(t, kafkaBroker(t)) }
