package producer

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
)

const (
	// requestsUnderWay is the limit of requests in flight per broker: while it handles one, the next is encoded.
	requestsUnderWay = 2
	// secondRequestMin is how many records make a second request worth its cost. Fewer wait for the answer to the first,
	// unless that takes longer than usualLatency.
	secondRequestMin = 256
	usualLatency     = 20 * time.Millisecond
	// requestWeight is the approximate limit of a request before compression; brokers accept 100 MB.
	requestWeight = 16 << 20
)

// brokerQueue is the partitions of one leader that have records to send.
type brokerQueue struct {
	ready    []*Partition
	waiting  int       // records of the ready partitions
	requests int       // goroutines that send to the broker
	lastSent time.Time // time of the last request
	delayed  bool      // a start after usualLatency is scheduled
}

// wantsRequest reports whether a request should go out now.
func (l *brokerQueue) wantsRequest() bool {
	return l.requests == 0 ||
		l.requests < requestsUnderWay && (l.waiting >= secondRequestMin || time.Since(l.lastSent) >= usualLatency)
}

// start sends what is ready for the broker, now or after usualLatency. The lock is held.
func (s *Producer) start(l *brokerQueue) {
	switch {
	case len(l.ready) == 0 || l.requests == requestsUnderWay || l.delayed && !l.wantsRequest():
	case l.wantsRequest():
		l.requests++
		s.work.Go(func() { s.run(l) })
	default:
		l.delayed = true
		time.AfterFunc(usualLatency, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			l.delayed = false
			if !s.closed { // else the running goroutines send the rest
				s.start(l)
			}
		})
	}
}

// partitionBatch is one partition's part of a request.
type partitionBatch struct {
	p *Partition
	b *batch
}

// run sends what is ready for the broker until nothing is.
func (s *Producer) run(l *brokerQueue) {
	for {
		batches := s.collect(l)
		if batches == nil {
			return
		}
		if batches = s.prepare(batches); len(batches) == 0 {
			continue
		}
		s.send(batches)
	}
}

// collect removes the next request's batches from the queue. Nil: nothing is ready, and the goroutine must end.
func (s *Producer) collect(l *brokerQueue) []partitionBatch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.requests--; !l.wantsRequest() {
		return nil
	}
	l.requests++
	var batches []partitionBatch
	total := 0
	for len(l.ready) > 0 && total < requestWeight && s.ctx.Err() == nil {
		p := l.ready[0]
		l.ready = l.ready[1:]
		l.waiting -= p.queuedRecords
		p.queuedAt, p.queuedRecords = nil, 0
		if p.busy || len(p.queue) == 0 {
			continue
		}
		records, weight := p.nextBatch()
		p.busy = true
		total += weight
		batches = append(batches, partitionBatch{p, &batch{records: records}})
	}
	if batches == nil {
		l.ready = nil
		l.requests--
	}
	l.lastSent = time.Now()
	return batches
}

// prepare encodes the batches. Those that cannot be sent are answered and left out.
func (s *Producer) prepare(batches []partitionBatch) []partitionBatch {
	return slices.DeleteFunc(batches, func(f partitionBatch) bool { return !s.encode(f.p, f.b) })
}

// encode encodes a batch. False: it could not be encoded and was answered.
func (s *Producer) encode(p *Partition, b *batch) bool {
	if !p.hasProducer || p.producer == noProducerID() {
		producer, err := s.producerIDs.first(s.ctx)
		if err != nil {
			s.answerBatch(p, b, err)
			return false
		}
		p.setProducer(producer, s.opts.FirstSequence)
	}
	if err := s.encoder.Encode(&p.buffer, b.records); err != nil {
		s.answerBatch(p, b, bridge.Unavailable("encode batch: %w", err))
		return false
	}
	b.bytes = p.buffer.Bytes()
	s.encoder.stamp(b.bytes, p.producer, p.nextSequence)
	return true
}

// send sends one request and handles the outcome of each partition.
func (s *Producer) send(batches []partitionBatch) {
	for _, f := range batches {
		f.b.firstSent = time.Now()
	}
	answers, throttle := s.request(batches)
	for i, f := range batches {
		s.handleOutcome(f.p, f.b, answers[i])
	}
	s.honourThrottle(throttle)
}

// honourThrottle waits for the broker's throttle time, since it would not read our next request sooner.
func (s *Producer) honourThrottle(throttle time.Duration) {
	if throttle <= 0 {
		return
	}
	s.throttleLogged.Do(func() {
		s.opts.Log.Warn("producer is throttled by a broker quota; events wait in the outbox",
			zap.Duration("throttle_time", throttle))
	})
	s.sleep(throttle)
}
