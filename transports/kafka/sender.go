package kafka

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
)

// sender sends records to the leaders of their partitions. A request carries everything that waits when it goes out,
// one batch per partition: nothing lingers, and batches grow with the backlog. A partition has one batch in flight, so
// that no record can overtake another; one whose outcome is unknown is resent by itself, and holds up no other
// partition.
type sender struct {
	opts         *Options
	cluster      *cluster
	producerIDs  *producerIDs
	encoder      *encoder
	requestCheck func() // schedules a check of the topics

	ctx    context.Context // ends when what is in flight is abandoned
	cancel context.CancelFunc
	work   sync.WaitGroup

	throttleLogged sync.Once

	mu           sync.Mutex
	brokerQueues map[int32]*brokerQueue
	partitions   []*partition
	underWay     int           // records whose done is still to be called
	closed       bool          // nothing more is accepted
	idle         chan struct{} // closed when nothing is in flight; nil: nobody waits
}

// answer is a call of done to be made without the lock.
type answer struct {
	done func(error)
	err  error
}

func deliverAnswers(answers []answer) {
	for _, a := range answers {
		a.done(a.err)
	}
}

// add sends a record to a partition.
func (s *sender) add(p *partition, r record) {
	if a := s.accept(p, r); a.done != nil {
		a.done(a.err)
	}
}

// accept queues the record, or puts it back in its recovering batch. Otherwise it returns the answer.
func (s *sender) accept(p *partition, r record) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return answer{r.done, errClosed()}
	case p.gone != nil:
		return answer{r.done, p.gone}
	}
	if len(p.outcomes) > 0 {
		if err, known := p.outcomes[eventKeyOf(r.event)]; known {
			delete(p.outcomes, eventKeyOf(r.event))
			return answer{r.done, err}
		}
	}
	if b := p.recovering; b != nil {
		i, again := b.index[eventKeyOf(r.event)]
		if !again || b.records[i].done != nil {
			return answer{r.done, unavailable(p.topic.name, p.recoveryErr)}
		}
		b.records[i] = r
		s.underWay++
		return answer{}
	}
	if p.leader == noLeader {
		return answer{r.done, unavailable(p.topic.name, p.noLeaderError())}
	}
	p.queue = append(p.queue, r)
	s.underWay++
	s.schedule(p)
	return answer{}
}

// schedule puts the partition in its leader's queue, unless a batch is in flight. The lock is held.
func (s *sender) schedule(p *partition) {
	if p.busy || len(p.queue) == 0 {
		return
	}
	if p.queuedAt == nil {
		l := s.brokerQueues[p.leader]
		if l == nil {
			l = &brokerQueue{}
			s.brokerQueues[p.leader] = l
		}
		p.queuedAt = l
		l.ready = append(l.ready, p)
	}
	l := p.queuedAt
	l.waiting += len(p.queue) - p.queuedRecords
	p.queuedRecords = len(p.queue)
	s.start(l)
}

// appendAnswer appends the answer of a record, unless it was answered before. The caller delivers it without the lock.
func (s *sender) appendAnswer(answers []answer, r *record, err error) []answer {
	if r.done == nil {
		return answers
	}
	answers = append(answers, answer{r.done, err})
	*r = record{} // releases the event
	if s.underWay--; s.underWay == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
	return answers
}

// flush answers everything in a partition's queue.
func (s *sender) flush(answers []answer, p *partition, err error) []answer {
	for i := range p.queue {
		answers = s.appendAnswer(answers, &p.queue[i], err)
	}
	p.queue = nil
	return answers
}

// setLeader sets the broker that leads a partition.
func (s *sender) setLeader(p *partition, broker int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.leader = broker
}

// abandon answers what waits for partitions that no longer exist, and what still arrives for them. A batch of unknown
// outcome is abandoned: it was lost with the partition, if it was written.
func (s *sender) abandon(gone []*partition, why error) {
	s.mu.Lock()
	var answers []answer
	for _, p := range gone {
		p.gone = why
		answers = s.flush(answers, p, why)
	}
	s.mu.Unlock()
	deliverAnswers(answers)
}

// register adds partitions, which close flushes.
func (s *sender) register(all []*partition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.partitions = append(s.partitions, all...)
}

// close waits for what is in flight until ctx ends, and answers the rest.
func (s *sender) close(ctx context.Context) error {
	var err error
	select {
	case <-s.stopAccepting():
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.cancel()
	s.work.Wait()
	s.mu.Lock()
	var answers []answer
	for _, p := range s.partitions {
		answers = s.flush(answers, p, errClosed())
	}
	s.mu.Unlock()
	deliverAnswers(answers)
	return err
}

// stopAccepting rejects further records, and returns a channel that is closed when nothing is in flight.
func (s *sender) stopAccepting() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	idle := make(chan struct{})
	if s.underWay == 0 {
		close(idle)
	} else {
		s.idle = idle
	}
	return idle
}

// sleep waits. False: what is in flight is abandoned.
func (s *sender) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (s *sender) warn(p *partition, text string, err error) {
	s.opts.Log.Warn(text, zap.String("topic", p.topic.name), zap.Int32("partition", p.number), zap.Error(err))
}
