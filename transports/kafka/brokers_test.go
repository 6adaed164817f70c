//go:build brokers

package kafka

import (
	"testing"
	"time"

	"livebridge/transports/kafka/kafkatest"
	"livebridge/transports/transporttest"
)

// TestContractBrokers runs the contract against three real brokers. Stopping the broker kills all of them.
func TestContractBrokers(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.Options{Nodes: 3})
	n := 0
	h := contract(func(t *testing.T, o Options) *transporttest.Topic {
		n++
		o.Topic, o.Quarantine = topicName("events", n), topicName("quarantine", n)
		return realTopic(t, c, o)
	})
	h.Restart = 30 * time.Second
	transporttest.Run(t, h)
}

func topicName(what string, n int) string { return what + "-" + string(rune('a'+n)) }

func realTopic(t *testing.T, c *kafkatest.Cluster, o Options) *transporttest.Topic {
	o.Brokers = joined(c.Brokers())
	return &transporttest.Topic{
		Publisher:  dial(t, o),
		Events:     func(t *testing.T) []transporttest.Record { return contents(t, c.Brokers(), o.Topic) },
		Quarantine: func(t *testing.T) []transporttest.Record { return contents(t, c.Brokers(), o.Quarantine) },
		Stop: func(*testing.T) {
			for i := range c.Brokers() {
				c.Kill(i)
			}
		},
		Start: func(t *testing.T) {
			for i := range c.Brokers() {
				c.Begin(t, i)
			}
			for i := range c.Brokers() {
				c.Await(t, i)
			}
		},
	}
}
