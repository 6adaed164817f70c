package kafka

import (
	"slices"
	"sync/atomic"
	"time"

	"livebridge/bridge"
	"livebridge/transports/kafka/producer"

	"github.com/segmentio/kafka-go"
)

// topic is one topic and the results of its checks.
type topic struct {
	producer.Topic
	role   role
	layout atomic.Pointer[layout]            // nil: it was not found yet
	fault  atomic.Pointer[error]             // why nothing is published to it; nil: it may be published to
	state  atomic.Pointer[bridge.TopicState] // at the last check; nil: it was not found yet
	// tombstones is how long removed keys are kept at least, as a time.Duration; 0: unknown.
	tombstones atomic.Int64

	waiting []producer.Record // until the first check; guarded by the topics' lock

	// used by the running check only
	created        bool      // by us
	firstCheck     time.Time // when it was first checked
	checks         int       // number of checks so far
	configFailures int       // consecutive failures to read config
	config         config
	faults         findingLog // errors of the topic
	warnings       findingLog // findings about its configuration
}

// usable reports whether events may be published to the topic.
func (t *topic) usable() bool { return t.layout.Load() != nil && t.fault.Load() == nil }

// settling reports whether a topic that was never usable still elects its leaders: its first events wait for that.
func (t *topic) settling(found *kafka.Topic, err error) bool {
	if t.firstCheck.IsZero() {
		t.firstCheck = time.Now()
	}
	if t.layout.Load() != nil || t.fault.Load() != nil || time.Since(t.firstCheck) > newTopicGrace {
		return false
	}
	leaderless := slices.ContainsFunc(found.Partitions,
		func(p kafka.Partition) bool { return leaderOf(p) == producer.NoLeader })
	return err != nil && !permanent(err) || err == nil && leaderless
}

// addWaiting holds a record until the topic is checked. The topics' lock is held.
func (t *topic) addWaiting(r producer.Record) { t.waiting = append(t.waiting, r) }

// takeWaiting removes and returns the held records. The topics' lock is held.
func (t *topic) takeWaiting() []producer.Record {
	held := t.waiting
	t.waiting = nil
	return held
}

// byNumber sorts partitions by their number.
func byNumber(found []kafka.Partition) []kafka.Partition {
	slices.SortFunc(found, func(a, b kafka.Partition) int { return a.ID - b.ID })
	return found
}
