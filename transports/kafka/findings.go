package kafka

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"livebridge/transports/kafka/producer"

	"github.com/segmentio/kafka-go"
)

// What a topic must retain at least. Nothing is published to one that retains less: it would remove acknowledged events
// before a consumer that was briefly down has read them.
const (
	minRetention      = 10 * time.Minute // retention.ms
	minRetentionBytes = 16 << 20         // retention.bytes, which counts for each partition
	// advisedRetentionBytes is what a partition should retain. Less gets a warning.
	advisedRetentionBytes = 1 << 30
	// advisedClockDifference is how far the clocks of the broker and of this machine may be apart. A topic that accepts
	// only a narrower range of timestamps gets a warning.
	advisedClockDifference = time.Minute
)

// findings returns what an operator should know about a topic: what loses events, and what stops publishing.
func (o *Options) findings(s topicState) []finding {
	return slices.Concat(s.checkReplicas(), o.checkRetention(s.config), checkTimestamps(s.config), s.checkLeaders())
}

// list collects findings.
type list []finding

func (l *list) alarm(bad bool, format string, args ...any) { l.add(true, bad, format, args) }
func (l *list) warn(bad bool, format string, args ...any)  { l.add(false, bad, format, args) }

func (l *list) add(alarm, bad bool, format string, args []any) {
	if bad {
		*l = append(*l, finding{text: fmt.Sprintf(format, args...), alarm: alarm})
	}
}

func (s topicState) checkReplicas() (out list) {
	copies := int64(s.minReplicas())
	out.warn(copies == 1, "the topic has one replica: events are lost with its broker; add replicas")
	if least, known := s.config.number("min.insync.replicas"); known {
		out.warn(copies > 1 && least == 1, "the topic's min.insync.replicas is 1: an event acknowledged by a single "+
			"replica is lost with its broker; set it to %d", copies-1)
		out.warn(copies > 1 && least == copies, "the topic's min.insync.replicas equals its number of "+
			"replicas: publishing stops when one broker is down")
		out.alarm(least > copies, "the topic's min.insync.replicas is %d and it has %d replicas: nothing can be "+
			"published; set it to %d", least, copies, max(copies-1, 1))
	}
	out.warn(copies > 1 && s.config["unclean.leader.election.enable"] == "true",
		"the topic's unclean.leader.election.enable is true: "+
			"an out-of-sync replica can become leader and events are lost; set it to false")
	return out
}

// checkRetention checks what the broker removes. With tiered storage the total retention counts, not the local one:
// what is in the remote tier can still be read.
func (o *Options) checkRetention(c config) (out list) {
	policy := strings.ReplaceAll(c["cleanup.policy"], " ", "")
	if policy == "compact" {
		out.alarm(true, "the topic is compacted: newer events of a stream replace older ones; "+
			"set cleanup.policy to delete")
		return out // retention does not apply
	}
	out.warn(strings.Contains(policy, "compact"), "the topic is compacted: older events of a stream may be "+
		"removed before a slow consumer reads them; set cleanup.policy to delete")
	if kept, known := c.duration("retention.ms"); known {
		out.alarm(kept < minRetention, "the topic retains events for %v only: they may be removed before consumers read "+
			"them; raise retention.ms to %v or more", kept, max(minRetention, o.Dedupe))
		out.warn(kept >= minRetention && kept < o.Dedupe, "the topic retains events for %v, less than DEDUPE_WINDOW (%v): "+
			"a consumer that was down for longer misses them; raise retention.ms",
			kept, o.Dedupe)
	}
	if bytes, known := c.number("retention.bytes"); known && bytes >= 0 {
		out.alarm(bytes < minRetentionBytes, "the topic retains %d bytes per partition: events may be removed "+
			"before consumers read them; raise retention.bytes to %d or more, or set it to -1",
			bytes, int64(minRetentionBytes))
		out.warn(bytes >= minRetentionBytes && bytes < advisedRetentionBytes, "the topic retains %d bytes per "+
			"partition: under load that may be less than DEDUPE_WINDOW (%v); "+
			"raise retention.bytes to %d or more, or set it to -1",
			bytes, o.Dedupe, int64(advisedRetentionBytes))
	}
	return out
}

func checkTimestamps(c config) (out list) {
	for _, name := range []string{"message.timestamp.before.max.ms", "message.timestamp.after.max.ms"} {
		span, known := c.duration(name)
		out.warn(known && span < advisedClockDifference, "the topic's %s is %v: events are rejected when clocks "+
			"differ by more; set it to %d or more", name, span, advisedClockDifference.Milliseconds())
	}
	return out
}

// checkLeaders warns of partitions without a leader. Only their events wait.
func (s topicState) checkLeaders() (out list) {
	var numbers []int
	for _, p := range s.partitions {
		if leaderOf(p) == producer.NoLeader {
			numbers = append(numbers, p.ID)
		}
	}
	out.warn(len(numbers) > 0, "partitions of the topic have no leader and their events wait: start the brokers "+
		"that hold their replicas (partitions %v)", numbers)
	return out
}

func leaderOf(p kafka.Partition) int32 {
	if p.Leader.Host == "" {
		return producer.NoLeader // which the library reports as broker 0
	}
	return int32(p.Leader.ID)
}
