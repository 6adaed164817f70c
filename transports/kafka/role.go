package kafka

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// role is what a topic is for.
type role int

const (
	roleEvents role = iota // what is published
	roleIntake             // inputs of replicas on their way
	roleState              // the replicas' state, compacted
)

const (
	intakeRetention = 7 * 24 * time.Hour // of topics that are created; an owner is away for much less
	intakeBytes     = 8 << 20            // max.message.bytes of topics that are created: more than an input has
	stateBytes      = 16 << 20           // likewise: more than an event that no output takes, as a dead letter
	// tombstoneRetention is how long a state topic that is created keeps removed keys, so that a replica that was away
	// for less need not read all of the state.
	tombstoneRetention    = 24 * time.Hour
	minTombstoneRetention = time.Hour
)

// settings are those of a topic of the role that is created.
func (r role) settings() []kafka.ConfigEntry {
	switch r {
	case roleIntake:
		return []kafka.ConfigEntry{entry("cleanup.policy", "delete"), entry("message.timestamp.type", "LogAppendTime"),
			entry("retention.ms", intakeRetention.Milliseconds()), entry("retention.bytes", -1),
			entry("max.message.bytes", intakeBytes)}
	case roleState:
		return []kafka.ConfigEntry{entry("cleanup.policy", "compact"), entry("max.message.bytes", stateBytes),
			entry("delete.retention.ms", tombstoneRetention.Milliseconds())}
	}
	return nil
}

func entry(name string, value any) kafka.ConfigEntry {
	return kafka.ConfigEntry{ConfigName: name, ConfigValue: fmt.Sprint(value)}
}

// roleFindings returns what an operator should know about a topic of the role.
func (o *Options) roleFindings(r role, s topicState) []finding {
	switch r {
	case roleIntake:
		return slices.Concat(s.checkReplicas(), o.checkRetention(s.config), checkIntake(s.config), s.checkLeaders())
	case roleState:
		return slices.Concat(s.checkReplicas(), checkState(s.config), s.checkLeaders())
	}
	return o.findings(s)
}

// checkIntake checks what the publisher's topics need not have.
func checkIntake(c config) (out list) {
	stamps, known := c["message.timestamp.type"]
	out.warn(known && stamps != "LogAppendTime", "the topic's message.timestamp.type is %s: recordedtime is then that of "+
		"the replica that took the callback, whose clock may differ; set it to LogAppendTime", stamps)
	policy := strings.ReplaceAll(c["cleanup.policy"], " ", "")
	out.alarm(policy != "compact" && strings.Contains(policy, "compact"), // compact alone is an alarm already
		"the topic is compacted: callbacks are removed before they are processed; set cleanup.policy to delete")
	return out
}

// checkState checks that the state is neither removed by time nor forgotten too soon.
func checkState(c config) (out list) {
	policy, known := c["cleanup.policy"]
	policy = strings.ReplaceAll(policy, " ", "")
	out.alarm(known && policy != "compact", "the topic's cleanup.policy is %s: the state of streams is removed by its "+
		"age, or never compacted; set cleanup.policy to compact", policy)
	if kept, known := c.duration("delete.retention.ms"); known {
		out.warn(kept < minTombstoneRetention, "the topic keeps removed keys for %v only: every replica reads the whole "+
			"state at each takeover; raise delete.retention.ms to %d or more", kept, tombstoneRetention.Milliseconds())
	}
	return out
}
