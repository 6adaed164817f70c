package kafka

import (
	"bytes"
	"fmt"
	"math"
)

// partition is one partition of a topic: what waits for it, and the one batch that is under way. Its fields are guarded by
// the sender's lock, but for those that belong to whoever has made it busy.
type partition struct {
	topic  *topic
	number int32
	leader int32

	queue         []record
	queuedAt      *brokerQueue // has it among the ready ones; nil: none has
	queuedRecords int          // records that this leader counts
	busy          bool         // a batch is under way
	maxRecords    int          // records in the next batch, after the broker refused a larger one; 0: any number
	gone          error        // the answer to every record, once the topic does not have the partition any more

	endOffset int64 // offset behind what the broker has acknowledged in this run; 0: nothing
	gaps      []gap // of that, which are still to be told
	endLower  bool  // the broker that was last asked for the end has less

	recovering  *batch             // sent until its outcome is known; nothing else goes out meanwhile
	recoveryErr error              // why
	outcomes    map[eventKey]error // of records that were answered as unavailable before it was known

	// of whoever has made it busy
	producer     producerID
	hasProducer  bool // who is in force
	nextSequence int32
	buffer       bytes.Buffer
}

const (
	// batchWeight is about the most that a batch has before compression, for a topic that takes as much.
	batchWeight = 1 << 20
	// defaultLimit is Kafka's default of max.message.bytes, for topics whose settings we may not read.
	defaultLimit = 1048588
)

// target is the weight of a batch that the topic takes even if nothing can be compressed.
func (p *partition) target() int {
	limit := int(p.topic.limit.Load())
	if limit == 0 {
		limit = defaultLimit
	}
	return min(batchWeight, limit*9/10)
}

// nextBatch removes what goes into the next batch from the queue.
func (p *partition) nextBatch() (records []record, weight int) {
	n := 0
	for ; n < len(p.queue) && (p.maxRecords == 0 || n < p.maxRecords); n++ {
		w := p.queue[n].weight()
		if n > 0 && weight+w > p.target() {
			break
		}
		weight += w
	}
	records, p.queue = p.queue[:n:n], p.queue[n:]
	if len(p.queue) == 0 {
		p.queue = make([]record, 0, n) // the next batch will be about as large
	}
	return records, weight
}

// putBack puts records before everything that waits. Lanes have one record each, so no order is lost.
func (p *partition) putBack(records []record) {
	p.queue = append(records[:len(records):len(records)], p.queue...)
}

// noLeaderError is why nothing can be sent to a partition that nobody leads.
func (p *partition) noLeaderError() error {
	return fmt.Errorf("partition %d has no leader: start the brokers that hold its replicas", p.number)
}

// advance moves the sequence on; the broker counts modulo 2^31.
func (p *partition) advance(n int) {
	if p.producer.id >= 0 {
		p.nextSequence = int32((int64(p.nextSequence) + int64(n)) & math.MaxInt32)
	}
}

// setProducer sets who sends to the partition from now on, beginning with a sequence.
func (p *partition) setProducer(producer producerID, first int32) {
	p.producer, p.hasProducer, p.nextSequence = producer, true, first
	if producer == noProducerID() {
		p.nextSequence = -1
	}
}
