package producer

import (
	"errors"

	"github.com/segmentio/kafka-go"

	"livebridge/bridge"
)

// handleOutcome handles the outcome of a batch's first attempt.
func (s *Producer) handleOutcome(p *Partition, b *batch, err error) {
	switch classify(err) {
	case acked:
		s.acknowledge(p, b)
	case tooLarge:
		s.opts.RequestCheck() // the topic's limit may have changed
		s.split(p, b, err)
	case notWritten:
		s.opts.RequestCheck()
		s.answerBatch(p, b, Unavailable(p.topic.Name, err))
	default:
		s.opts.RequestCheck()
		s.work.Go(func() { s.recover(p, b, err) })
	}
}

// acknowledge answers a batch that the broker has.
func (s *Producer) acknowledge(p *Partition, b *batch) {
	p.advance(len(b.records))
	s.tellStored(p, b)
	s.mu.Lock()
	lost := p.recordOffset(b)
	s.mu.Unlock()
	if lost {
		s.opts.RequestCheck()
	}
	s.answerBatch(p, b, nil)
}

// answerBatch answers the whole batch and unblocks the partition.
func (s *Producer) answerBatch(p *Partition, b *batch, err error) {
	s.mu.Lock()
	var answers []answer
	for i := range b.records {
		if b.records[i].Done == nil && (err == nil || bridge.IsRejected(err)) {
			p.keepOutcome(b.eventKeys[i], err)
		}
		answers = s.appendAnswer(answers, &b.records[i], err)
	}
	if err == nil {
		p.maxRecords = 0
	}
	s.unblock(p)
	s.mu.Unlock()
	deliverAnswers(answers)
}

// unblock frees the partition for its next batch. The lock is held.
func (s *Producer) unblock(p *Partition) {
	p.recovering, p.recoveryErr, p.busy = nil, nil, false
	s.schedule(p)
}

// split handles a batch that is too large: a single record is rejected, of several the broker gets smaller batches.
func (s *Producer) split(p *Partition, b *batch, err error) {
	var named *recordsRejected
	switch {
	case len(b.records) == 1:
		s.answerBatch(p, b, rejectTooLarge(p, b, err))
	case errors.As(err, &named) && len(named.indexes) < len(b.records):
		s.rejectNamed(p, b, named)
	default:
		s.requeueSmaller(p, b, len(b.records)/2)
	}
}

// rejectTooLarge returns the error for a record that the broker rejects even by itself.
func rejectTooLarge(p *Partition, b *batch, err error) error {
	if errors.Is(err, kafka.MessageSizeTooLarge) || errors.Is(err, kafka.RecordListTooLarge) {
		return bridge.Rejected(bridge.RejectionTooLarge, "event of %d bytes exceeds max.message.bytes of topic %s: "+
			"raise it, then retry the dead letter: %w", b.size(), p.topic.Name, err)
	}
	return bridge.Rejected(bridge.RejectionRefused, "%w", err)
}

// rejectNamed rejects the records that the broker has named, and requeues the others.
func (s *Producer) rejectNamed(p *Partition, b *batch, named *recordsRejected) {
	s.mu.Lock()
	var answers []answer
	var rest []Record
	for i := range b.records {
		if named.indexes[i] {
			answers = s.appendAnswer(answers, &b.records[i], bridge.Rejected(bridge.RejectionRefused, "%w", named.err))
		} else {
			rest = append(rest, b.records[i])
		}
	}
	s.requeue(p, rest)
	s.mu.Unlock()
	deliverAnswers(answers)
}

// requeueSmaller requeues the whole batch, to be sent in smaller ones.
func (s *Producer) requeueSmaller(p *Partition, b *batch, maxRecords int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.maxRecords = maxRecords
	s.requeue(p, b.records)
}

// requeue puts unanswered records back. Those already answered as unavailable are published again by the dispatcher.
func (s *Producer) requeue(p *Partition, records []Record) {
	var rest []Record
	for _, r := range records {
		if r.Done != nil {
			rest = append(rest, r)
		}
	}
	p.putBack(rest)
	s.unblock(p)
}
