package producer

import (
	"bytes"
	"fmt"
	"math"
	"sync/atomic"
)

// Topic is what the partitions of a topic share.
type Topic struct {
	Name  string
	Limit atomic.Int64 // max.message.bytes; 0: unknown
}

// NoLeader is the leader of a partition that has none.
const NoLeader = -1

// Partition is one partition of a topic: its queue and its one batch in flight. The producer's lock guards its fields,
// except for those of the goroutine that has set busy.
type Partition struct {
	topic  *Topic
	number int32
	leader int32

	queue         []Record
	queuedAt      *brokerQueue // the queue that has it among its ready ones; nil: none
	queuedRecords int          // its records that the queue counts
	busy          bool         // a batch is in flight
	maxRecords    int          // limit of the next batch after the broker rejected a larger one; 0: none
	gone          error        // answer to every record once the topic no longer has the partition

	endOffset int64 // offset after the last acknowledged record of this run; 0: none
	gaps      []Gap // not yet logged
	endLower  bool  // the last query of the end offset returned less

	recovering  *batch             // resent until its outcome is known; blocks the partition
	recoveryErr error              // the last error of recovering
	outcomes    map[eventKey]error // of records that were answered as unavailable before

	// of the goroutine that has set busy
	producer     producerID
	hasProducer  bool // producer is valid
	nextSequence int32
	buffer       bytes.Buffer
}

// NewPartition returns a partition without a leader.
func NewPartition(t *Topic, number int32) *Partition {
	return &Partition{topic: t, number: number, leader: NoLeader}
}

// Number returns the partition's number.
func (p *Partition) Number() int32 { return p.number }

const (
	// batchWeight is the approximate limit of a batch before compression, unless the topic's limit is lower.
	batchWeight = 1 << 20
	// defaultLimit is Kafka's default of max.message.bytes, for topics whose configuration we may not read.
	defaultLimit = 1048588
)

// BatchWeight is the weight of a batch that a topic with this limit accepts even if it is incompressible; a limit of 0
// is an unknown one.
func BatchWeight(topicLimit int64) int {
	limit := int(topicLimit)
	if limit == 0 {
		limit = defaultLimit
	}
	return min(batchWeight, limit*9/10)
}

func (p *Partition) target() int { return BatchWeight(p.topic.Limit.Load()) }

// nextBatch removes the records of the next batch from the queue.
func (p *Partition) nextBatch() (records []Record, weight int) {
	n := 0
	for ; n < len(p.queue) && (p.maxRecords == 0 || n < p.maxRecords); n++ {
		w := p.queue[n].Weight()
		if n > 0 && weight+w > p.target() {
			break
		}
		weight += w
	}
	records, p.queue = p.queue[:n:n], p.queue[n:]
	if len(p.queue) == 0 {
		p.queue = make([]Record, 0, n) // the next batch is likely to have the same size
	}
	return records, weight
}

// putBack puts records at the front of the queue. Each lane has one record in flight, so their order does not matter.
func (p *Partition) putBack(records []Record) {
	p.queue = append(records[:len(records):len(records)], p.queue...)
}

// noLeaderError is the error of a partition without a leader.
func (p *Partition) noLeaderError() error {
	return fmt.Errorf("partition %d has no leader: start the brokers that hold its replicas", p.number)
}

// advance moves the sequence; the broker counts modulo 2^31.
func (p *Partition) advance(n int) {
	if p.producer.id >= 0 {
		p.nextSequence = int32((int64(p.nextSequence) + int64(n)) & math.MaxInt32)
	}
}

// setProducer sets the partition's producer and its first sequence.
func (p *Partition) setProducer(producer producerID, first int32) {
	p.producer, p.hasProducer, p.nextSequence = producer, true, first
	if producer == noProducerID() {
		p.nextSequence = -1
	}
}
