package kafka

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
)

// sender carries records to the leaders of their partitions. What waits when a request can go out goes with it, one batch
// for each partition: nothing lingers, and batches grow with what waits. A partition has one batch under way, so that no
// record can overtake another; one whose outcome is not known is sent again by itself, and holds up no other partition.
type sender struct {
	opts         *Options
	cluster      *cluster
	producerIDs  *producerIDs
	encoder      *encoder
	requestCheck func() // has the topics looked after

	ctx    context.Context // ends when what is under way is given up
	cancel context.CancelFunc
	work   sync.WaitGroup

	throttleLogged sync.Once // told

	mu           sync.Mutex
	brokerQueues map[int32]*brokerQueue
	partitions   []*partition
	underWay     int           // records whose done is still to be called
	closed       bool          // nothing more is taken
	idle         chan struct{} // closed when nothing is under way; nil: nobody waits
}

// answer is a call of done that is made when the lock is free.
type answer struct {
	done func(error)
	err  error
}

func deliverAnswers(answers []answer) {
	for _, a := range answers {
		a.done(a.err)
	}
}

// add takes a record for a partition.
func (s *sender) add(p *partition, r record) {
	if a := s.accept(p, r); a.done != nil {
		a.done(a.err)
	}
}

// accept queues the record, or gives it its place in the batch that it was in before. Otherwise it returns the answer.
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

// schedule has what waits for the partition sent by its leader, if nothing is under way there.
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

// appendAnswer answers a record, if it still has to be. The caller calls the answer without the lock.
func (s *sender) appendAnswer(answers []answer, r *record, err error) []answer {
	if r.done == nil {
		return answers
	}
	answers = append(answers, answer{r.done, err})
	*r = record{} // the event is not ours any more
	if s.underWay--; s.underWay == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
	return answers
}

// flush answers everything that waits for a partition.
func (s *sender) flush(answers []answer, p *partition, err error) []answer {
	for i := range p.queue {
		answers = s.appendAnswer(answers, &p.queue[i], err)
	}
	p.queue = nil
	return answers
}

// setLeader notes which broker leads a partition.
func (s *sender) setLeader(p *partition, broker int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.leader = broker
}

// abandon answers what waits for partitions that are gone, and what comes for them still. A batch of unknown outcome is
// given up: whatever became of it went with the partition.
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

// register makes partitions known.
func (s *sender) register(all []*partition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.partitions = append(s.partitions, all...)
}

// close waits for what is under way until ctx ends, and answers the rest.
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

// stopAccepting takes nothing more, and returns a channel that is closed when nothing is under way.
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

// sleep waits, or returns false when what is under way is given up.
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
