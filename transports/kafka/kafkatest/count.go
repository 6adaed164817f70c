package kafkatest

import (
	"bytes"
	"testing"
)

// CountCommitted counts the committed records of a topic, none of which has a line's end in it, with the consumer that
// comes with Kafka.
func (c *Cluster) CountCommitted(t testing.TB, topic string) int {
	t.Helper()
	args := []string{"--bootstrap-server", c.Broker(0), "--topic", topic, "--from-beginning", "--isolation-level",
		"read_committed", "--timeout-ms", "5000"}
	out, err := Java(t, Classpath(t), quickStart(), "org.apache.kafka.tools.consumer.ConsoleConsumer", args...).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bytes.Count(out, []byte("\n"))
}
