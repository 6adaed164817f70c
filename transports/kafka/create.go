package kafka

import (
	"context"
	"errors"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// create creates an absent topic, if KAFKA_CREATE_TOPIC allows it. A topic that we have published to before gets the
// number of partitions that it had.
func (t *topics) create(ctx context.Context, known *topic) error {
	if !t.opts.Create {
		return advise("it does not exist: create it or set KAFKA_CREATE_TOPIC=true: %w", kafka.UnknownTopicOrPartition)
	}
	partitions, before := t.opts.Partitions, known.layout.Load()
	if before != nil {
		partitions = len(before.partitions)
	}
	answer, err := t.cluster.Client().CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic: known.Name, NumPartitions: partitions, ReplicationFactor: t.opts.Replication,
		ConfigEntries: known.role.settings(),
	}}})
	if err == nil {
		err = answer.Errors[known.Name]
	}
	switch {
	case err == nil:
		known.created = true
		t.opts.Log.Info("topic created", zap.String("topic", known.Name), zap.Int("partitions", partitions))
		if before != nil {
			t.logLost(known, t.producer.Restart(before.partitions))
		}
	case errors.Is(err, kafka.TopicAlreadyExists):
		return nil // somebody else created it, or the broker's metadata was stale
	case errors.Is(err, kafka.TopicAuthorizationFailed), errors.Is(err, kafka.ClusterAuthorizationFailed):
		return advise("it does not exist and KAFKA_USER may not create it: create it or allow CREATE: %w", err)
	case errors.Is(err, kafka.InvalidReplicationFactor):
		return advise("it cannot be created with KAFKA_REPLICATION=%d: add brokers or lower the setting: %w",
			t.opts.Replication, err)
	}
	return err
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
	known.config = make(config)
	for _, resource := range answer.Resources {
		for _, entry := range resource.ConfigEntries {
			known.config[entry.ConfigName] = entry.ConfigValue
		}
	}
	if limit, ok := known.config.number("max.message.bytes"); ok {
		known.Limit.Store(limit)
	}
	if kept, ok := known.config.duration("delete.retention.ms"); ok {
		known.tombstones.Store(int64(kept))
	}
	return nil
}
