//go:build brokers

package kafka

import (
	"testing"

	"livebridge/transports/kafka/kafkatest"
	"livebridge/transports/transporttest"
)

// TestReplicasBrokers runs the contract of replicas against a real broker.
func TestReplicasBrokers(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.Options{})
	transporttest.RunReplicas(t, replicasContract(c.Brokers()))
}
