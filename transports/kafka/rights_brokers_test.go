//go:build brokers

package kafka

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge/certificate/certificatetest"
	"livebridge/transports/kafka/kafkatest"
	"livebridge/transports/transporttest"
)

// right is one of the table in deployments/README.md.
type right struct {
	name      string
	operation kafka.ACLOperationType
}

func publisherRights() []right {
	return []right{{"WRITE", kafka.ACLOperationTypeWrite}, {"DESCRIBE_CONFIGS", kafka.ACLOperationTypeDescribeConfigs},
		{"CREATE", kafka.ACLOperationTypeCreate}}
}

// minimalUsers are the users of rights, as the broker's configuration has them.
func minimalUsers() string {
	var out strings.Builder
	for i := range 8 {
		fmt.Fprintf(&out, `user_least%d="least-secret" `, i)
	}
	for i := range len(replicasRights()) + 1 {
		fmt.Fprintf(&out, `user_replica%d="least-secret" `, i)
	}
	return out.String()
}

// rights gives users what the table says, and one less each.
func rights(t *testing.T, c *kafkatest.Cluster, authority *certificatetest.Authority) {
	users := 0
	open := func(t *testing.T, given []right) (Options, string, *observer.ObservedLogs) {
		user := fmt.Sprint("least", users)
		users++
		o, logs := observed()
		o.Brokers, o.TLS, o.CAFile, o.SASL, o.User, o.Password = c.Broker(0), true, authority.File, "plain", user,
			"least-secret"
		o.Topic, o.Quarantine = user+"-events", user+"-quarantine"
		for _, r := range given {
			allow(t, c, user, user+"-", r.operation)
		}
		return o, user, logs
	}
	t.Run("all", func(t *testing.T) {
		o, _, logs := open(t, publisherRights())
		transporttest.Deliver(t, dial(t, o), transporttest.Events(10, 1, 2))
		if n := logs.FilterMessageSnippet("llow KAFKA_USER").Len() + logs.FilterMessageSnippet("cannot").Len(); n > 0 {
			t.Errorf("the log has %v", logs.All())
		}
		if _, err := Probe(t.Context(), o); err != nil {
			t.Errorf("a probe says %v", err)
		}
	})
	for _, missing := range publisherRights() {
		t.Run("without "+missing.name, func(t *testing.T) {
			o, user, logs := open(t, slices.DeleteFunc(publisherRights(), func(r right) bool { return r == missing }))
			p := dial(t, o)
			if missing.name == "DESCRIBE_CONFIGS" {
				transporttest.AwaitLog(t, logs, "allow KAFKA_USER DESCRIBE_CONFIGS")
				transporttest.Deliver(t, p, transporttest.Events(10, 1, 1))
				return
			}
			awaitAdvice(t, p, "allow "+missing.name)
			allow(t, c, user, user+"-", missing.operation)
			transporttest.Deliver(t, p, transporttest.Events(10, 1, 1))
		})
	}
	t.Run("with DESCRIBE alone", func(t *testing.T) {
		o, user, logs := open(t, []right{{"DESCRIBE", kafka.ACLOperationTypeDescribe}})
		addTopic(t, c, o.Topic, 2)
		p := dial(t, o)
		awaitAdvice(t, p, "allow WRITE")
		transporttest.AwaitLog(t, logs, "IDEMPOTENT_WRITE")
		allow(t, c, user, user+"-", kafka.ACLOperationTypeWrite)
		transporttest.Deliver(t, p, transporttest.Events(10, 1, 1))
	})
	t.Run("tail", func(t *testing.T) {
		o, user, logs := open(t, publisherRights())
		transporttest.Deliver(t, dial(t, o), transporttest.Events(10, 1, 1))
		consumed := make(chan error, 1)
		go func() {
			n := 10
			consumed <- Consume(t.Context(), o, StartAll, func(Record) error {
				if n--; n == 0 {
					return errEnough
				}
				return nil
			})
		}()
		transporttest.AwaitLog(t, logs, "allow READ")
		allow(t, c, user, user+"-events", kafka.ACLOperationTypeRead)
		if err := <-consumed; err != errEnough {
			t.Error(err)
		}
	})
	t.Run("tail with READ alone", func(t *testing.T) {
		o, _, logs := open(t, nil)
		addTopic(t, c, o.Topic, 2)
		consumed := make(chan error, 1)
		go func() {
			consumed <- Consume(t.Context(), o, StartAll, func(Record) error { return errEnough })
		}()
		transporttest.AwaitLog(t, logs, "allow READ")
		allow(t, c, o.User, o.Topic, kafka.ACLOperationTypeRead)
		other := o
		other.SASL, other.TLS, other.User, other.Password, other.CAFile, other.Quarantine = "none", false, "", "", "", ""
		other.Brokers = c.Internal(0)
		transporttest.Deliver(t, dial(t, other), transporttest.Events(1, 1, 1))
		if err := <-consumed; err != errEnough {
			t.Error(err)
		}
	})
}

// awaitAdvice waits until the answer for an event is this advice and no other. A broker learns of the rights that were
// given before only after a while.
func awaitAdvice(t *testing.T, p *Publisher, advice string) {
	t.Helper()
	awaitAnswer(t, p, func(why string) bool {
		return strings.Contains(why, advice) && strings.Count(why, "allow ") == 1
	})
}

// addTopic makes a topic as an operator does.
func addTopic(t *testing.T, c *kafkatest.Cluster, topic string, partitions int) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(c.Internal(0)), Transport: &kafka.Transport{}}
	answer, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: -1}}})
	if err != nil || answer.Errors[topic] != nil {
		t.Fatal(err, answer)
	}
}
