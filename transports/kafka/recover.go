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
	s.enter(p, b, err)
	patience := b.begun.Add(s.opts.AckTimeout)
	for wait := firstResend; ; wait = min(2*wait, lastResend) {
		switch judge(err) {
		case taken:
			s.acknowledge(p, b)
			return
		case tooMuch:
			s.split(p, b, err)
			return
		case refused:
			if !b.doubtful {
				s.release(p, b, unavailable(p.topic.name, err))
				return
			}
		case outOfStep:
			s.disown(p, b, err)
		case unknown:
			b.doubtful = true
		}
		if time.Now().After(patience) {
			s.park(p, b, unavailable(p.topic.name, err))
			patience = time.Now().Add(s.opts.AckTimeout)
		}
		if !s.sleep(wait) {
			s.release(p, b, errClosed())
			return
		}
		if gone := s.goneFor(p); gone != nil {
			s.release(p, b, gone)
			return
		}
		s.cluster.renew()
		err = s.resend(p, b, err)
	}
}

// enter lets nothing else go out to the partition: what waits is answered, so that it holds up no other one.
func (s *sender) enter(p *partition, b *batch, err error) {
	s.mu.Lock()
	p.recovering, p.trouble = b, err
	b.expect()
	answers := s.flush(nil, p, unavailable(p.topic.name, err))
	s.mu.Unlock()
	give(answers)
	p.buffer = bytes.Buffer{} // a connection that was given up may still read the old one
}

// disown notes that the broker does not have the batch, and cannot take it from the producer that has sent it: it has lost
// the partition's sequence. The next sending is another producer's.
func (s *sender) disown(p *partition, b *batch, err error) {
	if errors.Is(err, kafka.ClusterAuthorizationFailed) {
		s.identities.refused(err)
	} else if p.known {
		s.warn(p, "the broker has lost track of what we have sent to this partition, perhaps with some of it; publishing goes on under a new producer id", err)
	}
	p.known, b.doubtful = false, false
}

// resend sends the batch by itself, under a new producer id if it needs one.
func (s *sender) resend(p *partition, b *batch, last error) error {
	if !p.known {
		who, err := s.identities.another(s.ctx)
		if err != nil {
			return last
		}
		p.identify(who, s.opts.first)
		b.bytes = bytes.Clone(b.bytes) // a connection that was given up may still read them
		s.encoder.stamp(b.bytes, p.who, p.next)
	}
	if errors.Is(last, kafka.InvalidTimestamp) { // which the broker looks at before it looks whether it has the batch
		b.bytes = bytes.Clone(b.bytes)
		s.encoder.redate(b.bytes, time.Now())
		s.encoder.stamp(b.bytes, p.who, p.next)
	}
	answers, throttle := s.request([]flight{{p, b}})
	s.spare(throttle)
	return answers[0]
}

// goneFor returns why nothing can be sent to the partition any more; nil: it is there.
func (s *sender) goneFor(p *partition) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.gone
}

// park answers the records of a batch whose outcome is not known yet.
func (s *sender) park(p *partition, b *batch, err error) {
	s.mu.Lock()
	p.trouble = err
	var answers []answer
	for i := range b.records {
		answers = s.take(answers, &b.records[i], err)
	}
	s.mu.Unlock()
	give(answers)
}

// remember keeps the outcome of a record that was answered before it was known. The lock is held.
func (p *partition) remember(at place, err error) {
	if p.outcomes == nil {
		p.outcomes = make(map[place]error)
	}
	p.outcomes[at] = err
}
