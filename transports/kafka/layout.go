package kafka

import (
	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/transports/kafka/producer"
)

// layout is the partitions of a topic that are used. It is immutable.
type layout struct {
	partitions []*producer.Partition
	numbers    []int
}

// newLayout returns a layout with n partitions. It keeps existing ones.
func newLayout(t *topic, n int) *layout {
	l, before := &layout{}, t.layout.Load()
	for i := range n {
		p := producer.NewPartition(&t.Topic, int32(i))
		if before != nil && i < len(before.partitions) {
			p = before.partitions[i]
		}
		l.partitions = append(l.partitions, p)
		l.numbers = append(l.numbers, i)
	}
	return l
}

// partitionOf returns the partition to which the Java client would send a record with this key.
func (l *layout) partitionOf(key []byte) *producer.Partition {
	return l.partitions[kafka.Murmur2Balancer{Consistent: true}.Balance(kafka.Message{Key: key}, l.numbers...)]
}

// warnPartitions warns of a topic that has more partitions than are used, or not as many as KAFKA_PARTITIONS says.
func (l *layout) warnPartitions(now, setting int) (out list) {
	used := len(l.partitions)
	out.warn(now > used, "the topic had %d partitions at startup and now has %d: the first %d are used "+
		"until livebridge restarts; the order within a stream is not kept across that restart", used, now, used)
	out.warn(now == used && now != setting, "the topic has %d partitions and KAFKA_PARTITIONS is %d: the setting is for "+
		"topics that livebridge creates; at most %d consumers of a group share this one; set KAFKA_PARTITIONS to %d, or "+
		"recreate the topic", now, setting, now, now)
	return out
}

// updateLayout returns the layout for the partitions found. Fewer partitions than before mean that the topic was
// recreated: its events are lost, and the lanes of the partitions that are gone move to others. Additional partitions
// are left unused until the next start, since lanes would change their partition.
func (t *topics) updateLayout(known *topic, found []kafka.Partition) *layout {
	before := known.layout.Load()
	now := before
	if before == nil || len(found) < len(before.partitions) {
		now = newLayout(known, len(found))
	}
	for i, p := range now.partitions {
		t.producer.SetLeader(p, leaderOf(found[i]))
	}
	if now == before {
		return now
	}
	known.layout.Store(now)
	if before == nil {
		t.producer.Register(now.partitions)
		return now
	}
	t.opts.Log.Error("topic was recreated with fewer partitions than before; its earlier events are lost",
		zap.String("topic", known.Name), zap.Int("before", len(before.partitions)), zap.Int("now", len(found)))
	t.producer.Restart(before.partitions)
	t.producer.Abandon(before.partitions[len(found):],
		bridge.Unavailable("topic %s was recreated with fewer partitions", known.Name))
	return now
}

// logLost logs acknowledged events that are lost.
func (t *topics) logLost(known *topic, gone []producer.Gap) {
	if len(gone) > 0 {
		t.opts.Log.Error("acknowledged events are lost from the topic: it was deleted and recreated, "+
			"or an out-of-sync replica became leader; publishing continues",
			zap.String("topic", known.Name), zap.Stringers("partitions", gone))
	}
}
