//go:build brokers

package kafka

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// changes are what somebody does to a topic on real brokers while it is published to.
func changes() map[string]func(*testing.T, []string, *Publisher, Options, *observer.ObservedLogs) {
	return map[string]func(*testing.T, []string, *Publisher, Options, *observer.ObservedLogs){
		"recreated": recreated, "fewer-partitions": fewerPartitions, "limit-raised": limitRaised,
		"compacted": compacted, "timestamps": timestamps,
	}
}

// recreate deletes a topic, waits until it is gone, and creates it again.
func recreate(t *testing.T, brokers []string, topic string, partitions int) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(brokers...), Transport: &kafka.Transport{}, Timeout: 10 * time.Second}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	answer, err := client.DeleteTopics(t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	if err != nil || answer.Errors[topic] != nil {
		t.Fatal(err, answer)
	}
	transporttest.Eventually(t, "the topic is not recreated", func() bool {
		answer, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{
			Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: -1}}})
		return err == nil && answer.Errors[topic] == nil
	})
}

func recreated(t *testing.T, brokers []string, p *Publisher, o Options, logs *observer.ObservedLogs) {
	transporttest.Deliver(t, p, transporttest.Events(60, 1, 5))
	recreate(t, brokers, o.Topic, 12)
	more := transporttest.Events(60, 6, 3)
	transporttest.Deliver(t, p, more)
	transporttest.AwaitLog(t, logs, "acknowledged events are lost")
	onlyThese(t, brokers, o.Topic, more)
}

func fewerPartitions(t *testing.T, brokers []string, p *Publisher, o Options, logs *observer.ObservedLogs) {
	transporttest.Deliver(t, p, transporttest.Events(40, 1, 1))
	recreate(t, brokers, o.Topic, 3)
	more := transporttest.Events(40, 2, 2)
	transporttest.Deliver(t, p, more)
	transporttest.AwaitLog(t, logs, "fewer partitions than before")
	onlyThese(t, brokers, o.Topic, more)
}

func limitRaised(t *testing.T, brokers []string, p *Publisher, o Options, _ *observer.ObservedLogs) {
	transporttest.Deliver(t, p, transporttest.Events(1, 1, 1))
	if err := publishLarge(t, p, 1000, 2<<20); !bridge.IsRejected(err) || !strings.Contains(err.Error(),
		"max.message.bytes") {
		t.Fatalf("an event that is too large was answered %v", err)
	}
	setConfig(t, brokers, o.Topic, "max.message.bytes", fmt.Sprint(8<<20))
	sequence := uint64(1000)
	transporttest.Eventually(t, "an event that was too large stays so",
		func() bool { // the brokers learn of it one after the other
			sequence++
			return publishLarge(t, p, sequence, 2<<20) == nil
		})
}

func compacted(t *testing.T, brokers []string, p *Publisher, o Options, logs *observer.ObservedLogs) {
	transporttest.Deliver(t, p, transporttest.Events(5, 1, 1))
	for _, c := range [][3]string{{"cleanup.policy", "compact", "delete"}, {"retention.ms", "1000", "604800000"}} {
		setConfig(t, brokers, o.Topic, c[0], c[1])
		if err := awaitUnavailable(t, p, fresh(100)); !strings.Contains(err.Error(), c[0]) {
			t.Errorf("the answer is %v", err)
		}
		setConfig(t, brokers, o.Topic, c[0], c[2])
		transporttest.Deliver(t, p, transporttest.Events(20, 1, 1))
	}
	if n := logs.FilterLevelExact(zapcore.ErrorLevel).FilterMessageSnippet("the topic ").Len(); n < 2 {
		t.Errorf("the log has %v", logs.All())
	}
}

// timestamps: a topic that rejects current timestamps is an outage, and no reason to drop an event.
func timestamps(t *testing.T, brokers []string, p *Publisher, o Options, logs *observer.ObservedLogs) {
	transporttest.Deliver(t, p, transporttest.Events(20, 1, 1))
	setConfig(t, brokers, o.Topic, "message.timestamp.before.max.ms", "0")
	if err := awaitUnavailable(t, p, fresh(100)); !strings.Contains(err.Error(), "message.timestamp.before.max.ms") {
		t.Errorf("the answer is %v", err)
	}
	transporttest.AwaitLog(t, logs, "message.timestamp.before.max.ms is 0s")
	setConfig(t, brokers, o.Topic, "message.timestamp.before.max.ms", "9223372036854775807")
	transporttest.Deliver(t, p, transporttest.Events(20, 2, 1))
}
