package kafka

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
)

const (
	// requestsUnderWay is how many requests a broker has at once at the most: while it works on one, the next is encoded.
	requestsUnderWay = 2
	// secondRequestMin is how many records make a second request worth its costs. Fewer wait for the answer to the first, unless
	// that takes longer than usualLatency.
	secondRequestMin = 256
	usualLatency     = 20 * time.Millisecond
	// requestWeight is about the most that a request carries before compression; brokers take 100 MB.
	requestWeight = 16 << 20
)

// brokerQueue is a broker that leads partitions.
type brokerQueue struct {
	ready    []*partition
	waiting  int       // records for them
	requests int       // goroutines that send to it
	lastSent time.Time // when it was last sent a request
	delayed  bool      // it is looked after again in usualLatency
}

// wantsRequest reports whether what is ready is to go now.
func (l *brokerQueue) wantsRequest() bool {
	return l.requests == 0 ||
		l.requests < requestsUnderWay && (l.waiting >= secondRequestMin || time.Since(l.lastSent) >= usualLatency)
}

// start has what is ready for the leader sent, now or in a moment. The lock is held.
func (s *sender) start(l *brokerQueue) {
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
			if !s.closed { // or those that run do it all
				s.start(l)
			}
		})
	}
}

// partitionBatch is one partition's part of a request.
type partitionBatch struct {
	p *partition
	b *batch
}

// run sends what is ready for the leader until nothing is.
func (s *sender) run(l *brokerQueue) {
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

// collect takes what goes into the next request. Nil: nothing is ready, and the goroutine is counted out.
func (s *sender) collect(l *brokerQueue) []partitionBatch {
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

// prepare encodes the batches. What cannot be sent is answered and left out.
func (s *sender) prepare(batches []partitionBatch) []partitionBatch {
	return slices.DeleteFunc(batches, func(f partitionBatch) bool { return !s.encode(f.p, f.b) })
}

// encode makes the bytes of a batch. False: it was answered, or put back.
func (s *sender) encode(p *partition, b *batch) bool {
	if !p.hasProducer || p.producer == noProducerID() {
		producer, err := s.producerIDs.first(s.ctx)
		if err != nil {
			s.failBatch(p, b, err)
			return false
		}
		p.setProducer(producer, s.opts.firstSequence)
	}
	if err := s.encoder.encode(&p.buffer, b.records); err != nil {
		s.failBatch(p, b, bridge.Unavailable("the batch cannot be encoded: %w", err))
		return false
	}
	b.bytes = p.buffer.Bytes()
	s.encoder.stamp(b.bytes, p.producer, p.nextSequence)
	return true
}

// send sends one request and deals with the answer for each partition.
func (s *sender) send(batches []partitionBatch) {
	for _, f := range batches {
		f.b.firstSent = time.Now()
	}
	answers, throttle := s.request(batches)
	for i, f := range batches {
		s.handleOutcome(f.p, f.b, answers[i])
	}
	s.honourThrottle(throttle)
}

// honourThrottle waits for as long as the broker asks us to: it would not read our next request sooner.
func (s *sender) honourThrottle(throttle time.Duration) {
	if throttle <= 0 {
		return
	}
	s.throttleLogged.Do(func() {
		s.opts.Log.Warn("the broker holds us back: its quota for this client is less than what comes; events wait in the outbox", zap.Duration("for", throttle))
	})
	s.sleep(throttle)
}
