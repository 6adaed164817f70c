package producer

import (
	"bytes"
	"errors"
	"time"

	"github.com/segmentio/kafka-go"
)

const (
	firstResend = 20 * time.Millisecond // initial backoff, which doubles
	lastResend  = time.Second           // its limit
)

// recover sends a batch again, unchanged and by itself, until its outcome is known. When that takes longer than
// AckTimeout, its records are answered as unavailable; published again, they take their position in the batch.
func (s *Producer) recover(p *Partition, b *batch, err error) {
	s.beginRecovery(p, b, err)
	patience := b.firstSent.Add(s.opts.AckTimeout)
	for wait := firstResend; ; wait = min(2*wait, lastResend) {
		switch classify(err) {
		case acked:
			s.acknowledge(p, b)
			return
		case tooLarge:
			s.split(p, b, err)
			return
		case notWritten:
			if !b.maybeWritten {
				s.answerBatch(p, b, Unavailable(p.topic.Name, err))
				return
			}
		case sequenceLost:
			s.resetProducer(p, b, err)
		case unknown:
			b.maybeWritten = true
		}
		if time.Now().After(patience) {
			s.failPending(p, b, err)
			patience = time.Now().Add(s.opts.AckTimeout)
		}
		if !s.sleep(wait) {
			s.answerBatch(p, b, ErrClosed())
			return
		}
		if gone := s.goneError(p); gone != nil {
			s.answerBatch(p, b, gone)
			return
		}
		s.brokers.Renew()
		err = s.resend(p, b, err)
	}
}

// beginRecovery blocks the partition. It fails what is queued there, so that those events do not hold up others.
func (s *Producer) beginRecovery(p *Partition, b *batch, err error) {
	s.mu.Lock()
	p.recovering, p.recoveryErr = b, err
	b.indexRecords()
	answers := s.flush(nil, p, Unavailable(p.topic.Name, err))
	s.mu.Unlock()
	deliverAnswers(answers)
	p.buffer = bytes.Buffer{} // an abandoned connection may still read the old one
}

// resetProducer handles a lost sequence: the broker does not have the batch and rejects it from this producer. The next
// attempt uses a new one.
func (s *Producer) resetProducer(p *Partition, b *batch, err error) {
	if errors.Is(err, kafka.ClusterAuthorizationFailed) {
		s.producerIDs.rejected(err)
	} else if p.hasProducer {
		s.warn(p, "broker has lost the producer's sequence of the partition, and perhaps events; "+
			"publishing continues with a new producer id", err)
	}
	p.hasProducer, b.maybeWritten = false, false
}

// resend sends the batch by itself, under a new producer id if it needs one.
func (s *Producer) resend(p *Partition, b *batch, last error) error {
	if !p.hasProducer {
		producer, err := s.producerIDs.fresh(s.ctx)
		if err != nil {
			return last
		}
		p.setProducer(producer, s.opts.FirstSequence)
		b.bytes = bytes.Clone(b.bytes) // an abandoned connection may still read them
		s.encoder.stamp(b.bytes, p.producer, p.nextSequence)
	}
	if errors.Is(last, kafka.InvalidTimestamp) { // the broker checks timestamps before duplicates
		b.bytes = bytes.Clone(b.bytes)
		s.encoder.updateTimestamps(b.bytes, time.Now())
		s.encoder.stamp(b.bytes, p.producer, p.nextSequence)
	}
	answers, throttle := s.request([]partitionBatch{{p, b}})
	s.honourThrottle(throttle)
	return answers[0]
}

// goneError returns the error of a partition that no longer exists; nil: it exists.
func (s *Producer) goneError(p *Partition) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.gone
}

// failPending answers the records of a batch whose outcome is still unknown after the last error.
func (s *Producer) failPending(p *Partition, b *batch, last error) {
	err := Unavailable(p.topic.Name, last)
	s.mu.Lock()
	p.recoveryErr = last
	var answers []answer
	for i := range b.records {
		answers = s.appendAnswer(answers, &b.records[i], err)
	}
	s.mu.Unlock()
	deliverAnswers(answers)
}

// keepOutcome keeps the outcome of a record that was already answered as unavailable. The lock is held.
func (p *Partition) keepOutcome(at eventKey, err error) {
	if at == (eventKey{}) {
		return // nobody recognizes it when it comes again
	}
	if p.outcomes == nil {
		p.outcomes = make(map[eventKey]error)
	}
	p.outcomes[at] = err
}
