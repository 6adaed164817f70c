package kafka

import (
	"slices"
	"sync/atomic"

	"github.com/segmentio/kafka-go"
)

// topic is one topic, and what was found out about it.
type topic struct {
	name   string
	limit  atomic.Int64           // max.message.bytes at the last look; 0: not known
	layout atomic.Pointer[layout] // nil: it has not been there yet
	fault  atomic.Pointer[error]  // why nothing is published to it now; nil: nothing is known against it

	waiting []record // while nothing is known; guarded by the topics' lock

	// of the look that is under way
	checks         int // how many there were
	configFailures int // how many in a row could not read config
	config         config
	faults         findingLog // that it cannot be used
	warnings       findingLog // on what it is like
}

// addWaiting keeps a record until the topic is known. The topics' lock is held.
func (t *topic) addWaiting(r record) { t.waiting = append(t.waiting, r) }

// takeWaiting returns what was held.
func (t *topic) takeWaiting() []record {
	held := t.waiting
	t.waiting = nil
	return held
}

// byNumber sorts partitions by their number.
func byNumber(found []kafka.Partition) []kafka.Partition {
	slices.SortFunc(found, func(a, b kafka.Partition) int { return a.ID - b.ID })
	return found
}
