package kafka

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

// topic is one topic, and what was found out about it.
type topic struct {
	name  string
	limit atomic.Int64 // max.message.bytes; 0: not known
	good  atomic.Bool  // it was there once: partitions and numbers are set for the rest of the run

	partitions []*partition
	numbers    []int

	// guarded by the topics' lock
	waiting []record // while nothing is known
	fault   error    // of the last look
	told    map[string]bool
}

// partitionOf returns where the Java client would send a record with this key.
func (t *topic) partitionOf(key []byte) *partition {
	return t.partitions[kafka.Murmur2Balancer{Consistent: true}.Balance(kafka.Message{Key: key}, t.numbers...)]
}

// settle sets the partitions, once.
func (t *topic) settle(found []kafka.Partition) {
	for i := range found {
		t.partitions = append(t.partitions, &partition{topic: t, number: int32(i)})
		t.numbers = append(t.numbers, i)
	}
}

// config is what matters of a topic's settings; what could not be read is not there.
type config map[string]string

func configNames() []string {
	return []string{"max.message.bytes", "min.insync.replicas", "retention.ms", "cleanup.policy"}
}

func (c config) number(name string) (int64, bool) {
	n, err := strconv.ParseInt(c[name], 10, 64)
	return n, err == nil
}

// shape is what the cluster says of a topic.
type shape struct {
	partitions []kafka.Partition
	config     config
}

func (s shape) copies() int { return len(s.partitions[0].Replicas) }

// remarks says what a user should know about a topic: what loses events, and what stops them.
func (o *Options) remarks(s shape) []string {
	var out []string
	remark := func(bad bool, format string, args ...any) {
		if bad {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	copies := int64(s.copies())
	remark(copies == 1, "the topic has one copy: what its broker loses is lost")
	if least, known := s.config.number("min.insync.replicas"); known {
		remark(copies > 1 && least == 1, "the topic's min.insync.replicas is 1: an event can be acknowledged with one copy and be lost with that broker. Set it to %d", copies-1)
		remark(copies > 1 && least == copies, "the topic's min.insync.replicas is its number of copies: publishing stops when one broker is away")
		remark(least > copies, "the topic's min.insync.replicas is %d and it has %d copies: nothing can be published", least, copies)
	}
	if ms, known := s.config.number("retention.ms"); known && ms >= 0 {
		kept := time.Duration(min(ms, int64(10*365*24*time.Hour/time.Millisecond))) * time.Millisecond
		remark(kept < o.Dedupe, "the topic keeps events for %v, less than DEDUPE_WINDOW, %v: a consumer that was away finds "+
			"neither the event nor, when it is sent again, a repeat of it. Raise retention.ms", kept, o.Dedupe)
	}
	remark(strings.Contains(s.config["cleanup.policy"], "compact"),
		"the topic is compacted: older events of a stream are removed before a slow consumer has read them. Set cleanup.policy to delete")
	return out
}

// moved returns what a user should know when a topic has other partitions than before; empty: it has not.
func (t *topic) moved(now int) string {
	if now == len(t.partitions) {
		return ""
	}
	return fmt.Sprintf("the topic had %d partitions when we started and now has %d: the first %d are used until the next start, "+
		"and the order of a stream is not kept across that start", len(t.partitions), now, min(now, len(t.partitions)))
}

// hold keeps a record until the topic is known. The topics' lock is held.
func (t *topic) hold(r record) { t.waiting = append(t.waiting, r) }

// letGo returns what was held.
func (t *topic) letGo() []record {
	held := t.waiting
	t.waiting = nil
	return held
}

// byNumber sorts partitions by their number.
func byNumber(found []kafka.Partition) []kafka.Partition {
	slices.SortFunc(found, func(a, b kafka.Partition) int { return a.ID - b.ID })
	return found
}
