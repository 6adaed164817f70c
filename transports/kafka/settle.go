package kafka

import (
	"errors"

	"github.com/segmentio/kafka-go"

	"livebridge/bridge"
)

// settle deals with the outcome of a batch's first sending.
func (s *sender) settle(p *partition, b *batch, err error) {
	switch judge(err) {
	case taken:
		s.acknowledge(p, b)
	case tooMuch:
		s.look() // the topic's limit may be another now
		s.split(p, b, err)
	case refused:
		s.look()
		s.release(p, b, unavailable(p.topic.name, err))
	default:
		s.look()
		s.work.Go(func() { s.recover(p, b, err) })
	}
}

// acknowledge answers a batch that the broker has.
func (s *sender) acknowledge(p *partition, b *batch) {
	p.advance(len(b.records))
	s.mu.Lock()
	lost := p.follow(b)
	s.mu.Unlock()
	if lost {
		s.look()
	}
	s.finish(p, b, nil)
}

// release answers a batch that the broker does not have and that is not sent any more.
func (s *sender) release(p *partition, b *batch, err error) { s.finish(p, b, err) }

// finish answers the whole batch and lets the partition go on.
func (s *sender) finish(p *partition, b *batch, err error) {
	s.mu.Lock()
	var answers []answer
	for i := range b.records {
		if b.records[i].done == nil && (err == nil || bridge.IsRejected(err)) {
			p.remember(b.places[i], err)
		}
		answers = s.take(answers, &b.records[i], err)
	}
	if err == nil {
		p.most = 0
	}
	s.goOn(p)
	s.mu.Unlock()
	give(answers)
}

// goOn frees the partition for its next batch. The lock is held.
func (s *sender) goOn(p *partition) {
	p.recovering, p.trouble, p.busy = nil, nil, false
	s.ready(p)
}

// split deals with a batch that is too much: one record by itself is rejected, of more the broker is given a part.
func (s *sender) split(p *partition, b *batch, err error) {
	var named *recordsRefused
	switch {
	case len(b.records) == 1:
		s.finish(p, b, tooLarge(p, b, err))
	case errors.As(err, &named) && len(named.which) < len(b.records):
		s.withdraw(p, b, named)
	default:
		s.again(p, b, len(b.records)/2)
	}
}

// tooLarge makes the answer for a record that the broker does not take by itself.
func tooLarge(p *partition, b *batch, err error) error {
	if errors.Is(err, kafka.MessageSizeTooLarge) || errors.Is(err, kafka.RecordListTooLarge) {
		return bridge.Rejected("event of %d bytes exceeds max.message.bytes of topic %s: %w", b.size(), p.topic.name, err)
	}
	return bridge.Rejected("%w", err)
}

// withdraw rejects the records that the broker has named, and has the others sent again.
func (s *sender) withdraw(p *partition, b *batch, named *recordsRefused) {
	s.mu.Lock()
	var answers []answer
	var rest []record
	for i := range b.records {
		if named.which[i] {
			answers = s.take(answers, &b.records[i], bridge.Rejected("%w", named.err))
		} else {
			rest = append(rest, b.records[i])
		}
	}
	s.requeue(p, rest)
	s.mu.Unlock()
	give(answers)
}

// again puts the whole batch back, for smaller ones.
func (s *sender) again(p *partition, b *batch, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.most = most
	s.requeue(p, b.records)
}

// requeue puts those records back that somebody still waits for: the others come again by themselves.
func (s *sender) requeue(p *partition, records []record) {
	var rest []record
	for _, r := range records {
		if r.done != nil {
			rest = append(rest, r)
		}
	}
	p.putBack(rest)
	s.goOn(p)
}
