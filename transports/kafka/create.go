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
