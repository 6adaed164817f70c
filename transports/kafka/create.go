package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// create makes a topic that is absent, if that is allowed. One that we have published to before gets the number of
// partitions that it had.
func (t *topics) create(ctx context.Context, known *topic) error {
	if !t.opts.Create {
		return fmt.Errorf("it is not there, and KAFKA_CREATE_TOPIC is false: create it, or allow us to: %w", kafka.UnknownTopicOrPartition)
	}
	partitions := t.opts.Partitions
	if known.good.Load() {
		partitions = len(known.partitions)
	}
	answer, err := t.cluster.client().CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic: known.name, NumPartitions: partitions, ReplicationFactor: t.opts.Replication,
	}}})
	if err == nil {
		err = answer.Errors[known.name]
	}
	switch {
	case err == nil:
		t.opts.Log.Info("created the topic", zap.String("topic", known.name), zap.Int("partitions", partitions))
	case errors.Is(err, kafka.TopicAlreadyExists):
		return nil // another was faster, or the broker that we had asked did not know yet
	case errors.Is(err, kafka.TopicAuthorizationFailed), errors.Is(err, kafka.ClusterAuthorizationFailed):
		return fmt.Errorf("it is not there, and the broker does not let KAFKA_USER create it: create it, or allow CREATE: %w", err)
	case errors.Is(err, kafka.InvalidReplicationFactor):
		return fmt.Errorf("it cannot be created with KAFKA_REPLICATION=%d: are enough brokers there: %w", t.opts.Replication, err)
	}
	return err
}

// describe reads the topic's settings. We may not be allowed to: then its limits show when it refuses something.
func (t *topics) describe(ctx context.Context, known *topic) config {
	answer, err := t.cluster.client().DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: known.name, ConfigNames: configNames(),
		}},
	})
	if err == nil && len(answer.Resources) == 1 {
		err = answer.Resources[0].Error
	}
	if err != nil {
		t.warn(known, "the topic's settings cannot be read, and so not checked; this is tried again when the topics are looked at", err)
		return nil
	}
	found := make(config)
	for _, resource := range answer.Resources {
		for _, entry := range resource.ConfigEntries {
			found[entry.ConfigName] = entry.ConfigValue
		}
	}
	return found
}
