package kafka

import (
	"bytes"
	"errors"
	"time"

	"github.com/segmentio/kafka-go"
)

const (
	firstResend = 20 * time.Millisecond // it doubles
	lastResend  = time.Second
)

// recover sends a batch again, unchanged and by itself, until its outcome is known. Its records are answered as
// unavailable when that takes longer than AckTimeout, and find their place in it when they come again.
func (s *sender) recover(p *partition, b *batch, err error) {
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
				s.failBatch(p, b, unavailable(p.topic.name, err))
				return
			}
		case sequenceLost:
			s.resetProducer(p, b, err)
		case unknown:
			b.maybeWritten = true
		}
		if time.Now().After(patience) {
			s.failPending(p, b, unavailable(p.topic.name, err))
			patience = time.Now().Add(s.opts.AckTimeout)
		}
		if !s.sleep(wait) {
			s.failBatch(p, b, errClosed())
			return
		}
		if gone := s.goneError(p); gone != nil {
			s.failBatch(p, b, gone)
			return
		}
		s.cluster.renew()
		err = s.resend(p, b, err)
	}
}

// beginRecovery lets nothing else go out to the partition: what waits is answered, so that it holds up no other one.
func (s *sender) beginRecovery(p *partition, b *batch, err error) {
	s.mu.Lock()
	p.recovering, p.recoveryErr = b, err
	b.indexRecords()
	answers := s.flush(nil, p, unavailable(p.topic.name, err))
	s.mu.Unlock()
	deliverAnswers(answers)
	p.buffer = bytes.Buffer{} // a connection that was given up may still read the old one
}

// resetProducer notes that the broker does not have the batch, and cannot take it from the producer that has sent it: it has lost
// the partition's sequence. The next sending is another producer's.
func (s *sender) resetProducer(p *partition, b *batch, err error) {
	if errors.Is(err, kafka.ClusterAuthorizationFailed) {
		s.producerIDs.rejected(err)
	} else if p.hasProducer {
		s.warn(p, "the broker has lost track of what we have sent to this partition, perhaps with some of it; publishing goes on under a new producer id", err)
	}
	p.hasProducer, b.maybeWritten = false, false
}

// resend sends the batch by itself, under a new producer id if it needs one.
func (s *sender) resend(p *partition, b *batch, last error) error {
	if !p.hasProducer {
		producer, err := s.producerIDs.fresh(s.ctx)
		if err != nil {
			return last
		}
		p.setProducer(producer, s.opts.firstSequence)
		b.bytes = bytes.Clone(b.bytes) // a connection that was given up may still read them
		s.encoder.stamp(b.bytes, p.producer, p.nextSequence)
	}
	if errors.Is(last, kafka.InvalidTimestamp) { // which the broker looks at before it looks whether it has the batch
		b.bytes = bytes.Clone(b.bytes)
		s.encoder.updateTimestamps(b.bytes, time.Now())
		s.encoder.stamp(b.bytes, p.producer, p.nextSequence)
	}
	answers, throttle := s.request([]partitionBatch{{p, b}})
	s.honourThrottle(throttle)
	return answers[0]
}

// goneError returns why nothing can be sent to the partition any more; nil: it is there.
func (s *sender) goneError(p *partition) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.gone
}

// failPending answers the records of a batch whose outcome is not known yet.
func (s *sender) failPending(p *partition, b *batch, err error) {
	s.mu.Lock()
	p.recoveryErr = err
	var answers []answer
	for i := range b.records {
		answers = s.appendAnswer(answers, &b.records[i], err)
	}
	s.mu.Unlock()
	deliverAnswers(answers)
}

// keepOutcome keeps the outcome of a record that was answered before it was known. The lock is held.
func (p *partition) keepOutcome(at eventKey, err error) {
	if p.outcomes == nil {
		p.outcomes = make(map[eventKey]error)
	}
	p.outcomes[at] = err
}
