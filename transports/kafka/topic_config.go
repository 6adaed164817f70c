package kafka

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
)

// config is the part of a topic's configuration that is checked. What could not be read is absent.
type config map[string]string

func configNames() []string {
	return []string{"max.message.bytes", "min.insync.replicas", "retention.ms", "retention.bytes", "cleanup.policy",
		"unclean.leader.election.enable", "message.timestamp.before.max.ms", "message.timestamp.after.max.ms",
		"message.timestamp.type", "delete.retention.ms"}
}

func (c config) number(name string) (int64, bool) {
	n, err := strconv.ParseInt(c[name], 10, 64)
	return n, err == nil
}

// duration parses milliseconds; -1 and anything above ten years is no limit.
func (c config) duration(name string) (time.Duration, bool) {
	const maxDuration = 10 * 365 * 24 * time.Hour
	ms, known := c.number(name)
	if !known || ms < 0 || ms > maxDuration.Milliseconds() {
		return 0, false
	}
	return time.Duration(ms) * time.Millisecond, true
}

// describe reads the topic's configuration. When it cannot be read, the previous one stays. We may lack the permission;
// the topic's limits then show when it rejects a batch.
func (t *topics) describe(ctx context.Context, known *topic) (out list) {
	answer, err := t.cluster.Client().DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: known.Name, ConfigNames: configNames(),
		}},
	})
	if err == nil && len(answer.Resources) == 1 {
		err = answer.Resources[0].Error
	}
	known.configFailures++
	switch {
	case errors.Is(err, kafka.TopicAuthorizationFailed):
		return list{{err: err,
			text: "topic configuration cannot be read and is not checked; allow KAFKA_USER DESCRIBE_CONFIGS"}}
	case err != nil && known.configFailures == 1:
		return nil // a connection closed during one request says nothing about the topic
	case err != nil:
		return list{{text: "topic configuration cannot be read and is not checked; retrying", err: err}}
	}
	known.configFailures = 0
	known.setConfig(answer.Resources)
	return nil
}

// setConfig keeps what the broker says of the topic's configuration.
func (t *topic) setConfig(described []kafka.DescribeConfigResponseResource) {
	t.config = make(config)
	for _, resource := range described {
		for _, entry := range resource.ConfigEntries {
			t.config[entry.ConfigName] = entry.ConfigValue
		}
	}
	if limit, ok := t.config.number("max.message.bytes"); ok {
		t.Limit.Store(limit)
	}
	if kept, ok := t.config.duration("delete.retention.ms"); ok {
		t.tombstones.Store(int64(kept))
	}
}
