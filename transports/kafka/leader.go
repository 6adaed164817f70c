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
	// requestWorth is how many records make a second request worth its costs. Fewer wait for the answer to the first, unless
	// that takes longer than answerUsual.
	requestWorth = 256
	answerUsual  = 20 * time.Millisecond
	// requestWeight is about the most that a request carries before compression; brokers take 100 MB.
	requestWeight = 16 << 20
)

// leader is a broker that leads partitions.
type leader struct {
	ready   []*partition
	waiting int       // records for them
	running int       // goroutines that send to it
	begun   time.Time // when it was last sent a request
	pending bool      // it is looked after again in answerUsual
}

// wantsRequest reports whether what is ready is to go now.
func (l *leader) wantsRequest() bool {
	return l.running == 0 ||
		l.running < requestsUnderWay && (l.waiting >= requestWorth || time.Since(l.begun) >= answerUsual)
}

// start has what is ready for the leader sent, now or in a moment. The lock is held.
func (s *sender) start(l *leader) {
	switch {
	case len(l.ready) == 0 || l.running == requestsUnderWay || l.pending && !l.wantsRequest():
	case l.wantsRequest():
		l.running++
		s.work.Go(func() { s.run(l) })
	default:
		l.pending = true
		time.AfterFunc(answerUsual, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			l.pending = false
			if !s.closed { // or those that run do it all
				s.start(l)
			}
		})
	}
}

// flight is one partition's part of a request.
type flight struct {
	p *partition
	b *batch
}

// run sends what is ready for the leader until nothing is.
func (s *sender) run(l *leader) {
	for {
		flights := s.board(l)
		if flights == nil {
			return
		}
		if flights = s.prepare(flights); len(flights) == 0 {
			continue
		}
		s.send(flights)
	}
}

// board takes what goes into the next request. Nil: nothing is ready, and the goroutine is counted out.
func (s *sender) board(l *leader) []flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.running--; !l.wantsRequest() {
		return nil
	}
	l.running++
	var flights []flight
	total := 0
	for len(l.ready) > 0 && total < requestWeight && s.ctx.Err() == nil {
		p := l.ready[0]
		l.ready = l.ready[1:]
		l.waiting -= p.counted
		p.listed, p.counted = nil, 0
		if p.busy || len(p.queue) == 0 {
			continue
		}
		records, weight := p.take()
		p.busy = true
		total += weight
		flights = append(flights, flight{p, &batch{records: records}})
	}
	if flights == nil {
		l.ready = nil
		l.running--
	}
	l.begun = time.Now()
	return flights
}

// prepare encodes the batches. What cannot be sent is answered and left out.
func (s *sender) prepare(flights []flight) []flight {
	return slices.DeleteFunc(flights, func(f flight) bool { return !s.encode(f.p, f.b) })
}

// encode makes the bytes of a batch. False: it was answered, or put back.
func (s *sender) encode(p *partition, b *batch) bool {
	if !p.known || p.who == nobody() {
		who, err := s.identities.first(s.ctx)
		if err != nil {
			s.release(p, b, err)
			return false
		}
		p.identify(who, s.opts.first)
	}
	if err := s.encoder.encode(&p.buffer, b.records); err != nil {
		s.release(p, b, bridge.Unavailable("the batch cannot be encoded: %w", err))
		return false
	}
	b.bytes = p.buffer.Bytes()
	s.encoder.stamp(b.bytes, p.who, p.next)
	return true
}

// send sends one request and deals with the answer for each partition.
func (s *sender) send(flights []flight) {
	for _, f := range flights {
		f.b.begun = time.Now()
	}
	answers, throttle := s.request(flights)
	for i, f := range flights {
		s.settle(f.p, f.b, answers[i])
	}
	s.spare(throttle)
}

// spare waits for as long as the broker asks us to: it would not read our next request sooner.
func (s *sender) spare(throttle time.Duration) {
	if throttle <= 0 {
		return
	}
	s.throttled.Do(func() {
		s.opts.Log.Warn("the broker holds us back: its quota for this client is less than what comes; events wait in the outbox", zap.Duration("for", throttle))
	})
	s.sleep(throttle)
}
