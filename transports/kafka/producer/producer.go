// Package producer is an idempotent producer for kafka-go, which has none: its Writer gives batches no producer id and
// sequence, so that a retry after a lost answer writes them a second time, behind later ones.
package producer

import (
	"context"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// Options configure a Producer. All are required.
type Options struct {
	AckTimeout  time.Duration // an event without an acknowledgement for so long is unavailable
	Binary      bool          // CloudEvents binary mode instead of structured mode
	Compression string        // none, gzip, snappy, lz4 or zstd
	Log         *zap.Logger

	RetryInterval time.Duration // between two requests for a producer id that was denied
	FirstSequence int32         // of the first record of a partition; 0 but in tests

	// RequestCheck schedules a check of the topics: their leaders or limits may have changed. It must not block.
	RequestCheck func()
}

// Brokers are the connections to one cluster. Errors of its connections that occur before anything is sent are a
// BeforeSending.
type Brokers interface {
	Client() *kafka.Client // for one request
	Renew()                // makes the next request use new connections and fresh metadata
}

// Producer sends records to the leaders of their partitions. A request carries everything that waits when it goes out,
// one batch per partition: nothing lingers, and batches grow with the backlog. A partition has one batch in flight, so
// that no record can overtake another; one whose outcome is unknown is resent by itself, and holds up no other
// partition. Its methods may be called by several goroutines at once.
type Producer struct {
	opts        Options
	brokers     Brokers
	producerIDs *producerIDs
	encoder     *encoder

	ctx    context.Context // ends when what is in flight is abandoned
	cancel context.CancelFunc
	work   sync.WaitGroup

	throttleLogged sync.Once

	stored func(*bridge.Event, bridge.Position) // hears where events are stored; nil: nobody asks

	mu           sync.Mutex
	brokerQueues map[int32]*brokerQueue
	partitions   []*Partition
	underWay     int           // records whose Done is still to be called
	closed       bool          // nothing more is accepted
	idle         chan struct{} // closed when nothing is in flight; nil: nobody waits
}

// New returns a producer. It must be closed.
func New(o Options, b Brokers) (*Producer, error) {
	encoder, err := newEncoder(&o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Producer{
		opts: o, brokers: b, encoder: encoder, ctx: ctx, cancel: cancel, brokerQueues: make(map[int32]*brokerQueue),
		producerIDs: &producerIDs{brokers: b, log: o.Log, retryInterval: o.RetryInterval},
	}, nil
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

// Publish sends a record to a partition, and its Done says how that ended. An event that was answered as unavailable
// and is published again takes its position in the batch that is still recovering.
func (s *Producer) Publish(p *Partition, r Record) {
	if a := s.accept(p, r); a.done != nil {
		if a.err == nil { // a batch of before was written after all
			s.reportStored(p, r.Event, -1)
		}
		a.done(a.err)
	}
}

// accept queues the record, or puts it back in its recovering batch. Otherwise it returns the answer.
func (s *Producer) accept(p *Partition, r Record) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return answer{r.Done, ErrClosed()}
	case p.gone != nil:
		return answer{r.Done, p.gone}
	}
	if len(p.outcomes) > 0 {
		if err, known := p.outcomes[eventKeyOf(r.Event)]; known {
			delete(p.outcomes, eventKeyOf(r.Event))
			return answer{r.Done, err}
		}
	}
	if b := p.recovering; b != nil {
		i, again := b.index[eventKeyOf(r.Event)]
		if !again || b.records[i].Done != nil {
			return answer{r.Done, Unavailable(p.topic.Name, p.recoveryErr)}
		}
		b.records[i] = r
		s.underWay++
		return answer{}
	}
	if p.leader == NoLeader {
		return answer{r.Done, Unavailable(p.topic.Name, p.noLeaderError())}
	}
	p.queue = append(p.queue, r)
	s.underWay++
	s.schedule(p)
	return answer{}
}

// schedule puts the partition in its leader's queue, unless a batch is in flight. The lock is held.
func (s *Producer) schedule(p *Partition) {
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
func (s *Producer) appendAnswer(answers []answer, r *Record, err error) []answer {
	if r.Done == nil {
		return answers
	}
	answers = append(answers, answer{r.Done, err})
	*r = Record{} // releases the event
	if s.underWay--; s.underWay == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
	return answers
}

// flush answers everything in a partition's queue.
func (s *Producer) flush(answers []answer, p *Partition, err error) []answer {
	for i := range p.queue {
		answers = s.appendAnswer(answers, &p.queue[i], err)
	}
	p.queue = nil
	return answers
}

// SetLeader sets the broker that leads a partition.
func (s *Producer) SetLeader(p *Partition, broker int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.leader = broker
}

// Abandon answers what waits for partitions that no longer exist, and what still arrives for them. A batch of unknown
// outcome is abandoned: it was lost with the partition, if it was written.
func (s *Producer) Abandon(gone []*Partition, why error) {
	s.mu.Lock()
	var answers []answer
	for _, p := range gone {
		p.gone = why
		answers = s.flush(answers, p, why)
	}
	s.mu.Unlock()
	deliverAnswers(answers)
}

// Register adds partitions, which Close flushes.
func (s *Producer) Register(all []*Partition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.partitions = append(s.partitions, all...)
}

// Close waits for what is in flight until ctx ends, and answers the rest.
func (s *Producer) Close(ctx context.Context) error {
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
		answers = s.flush(answers, p, ErrClosed())
	}
	s.mu.Unlock()
	deliverAnswers(answers)
	return err
}

// stopAccepting rejects further records, and returns a channel that is closed when nothing is in flight.
func (s *Producer) stopAccepting() <-chan struct{} {
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
func (s *Producer) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (s *Producer) warn(p *Partition, text string, err error) {
	s.opts.Log.Warn(text, zap.String("topic", p.topic.Name), zap.Int32("partition", p.number), zap.Error(err))
}
