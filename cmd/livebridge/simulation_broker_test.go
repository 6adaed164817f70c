package main

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"livebridge/bridge"
)

// simulatedBroker is a topic with all that goes wrong with brokers. What it does to an event is drawn from the seed,
// the event and the number of the try, so that it does not depend on what other lanes do.
type simulatedBroker struct {
	simulation *simulation
	away       bool            // nobody answers but the client, at once
	silent     bool            // nothing is answered before the time-out
	faultRate  float64         // share of tries that go wrong
	down       map[string]bool // streams that are refused
	poison     bool            // some events are never accepted
	tries      int
	topic      []publishing
}

// publishing is an event as it came onto the topic, or to the dead letters, whose order is the order of the lane too.
type publishing struct {
	event *bridge.Event
	at    bridge.Millis // on the wall clock
	dead  bool
}

// ackTimeout is how long the client waits for an acknowledgement.
const ackTimeout = 5 * time.Second

// simulatedPublisher is the broker's client in one life of the program.
type simulatedPublisher struct {
	broker *simulatedBroker
	life   *simulatedLife
}

func (p *simulatedPublisher) Close(context.Context) error { return nil }

// Publish sends the event on its way; the broker gets it after a while, or never, and the answer takes its time or is
// lost.
func (p *simulatedPublisher) Publish(e *bridge.Event, done func(error)) {
	b := p.broker
	b.simulation.mu.Lock()
	b.tries++
	random := b.draw(e)
	away, silent := b.away, b.silent
	faulty := random.Float64() < b.faultRate
	refused, poisoned := b.down[e.Lane.Stream], b.poison && random.IntN(20) == 0
	b.simulation.mu.Unlock()
	there, back := time.Duration(1+random.IntN(4000))*time.Microsecond, time.Duration(1+random.IntN(4000))*time.Microsecond
	switch {
	case away:
		done(bridge.Unavailable("%w", errBrokerAway))
	case silent:
		time.AfterFunc(ackTimeout, func() { done(bridge.Unavailable("no acknowledgement")) })
	case refused:
		time.AfterFunc(there, func() { done(bridge.Unavailable("the stream is full")) })
	case poisoned:
		time.AfterFunc(there, func() { p.store(e, true); done(bridge.Rejected(bridge.RejectionRefused, "too large")) })
	case !faulty:
		time.AfterFunc(there, func() { p.store(e, false); time.AfterFunc(back, func() { done(nil) }) })
	default:
		p.failOnce(e, done, random.IntN(4), there)
	}
}

// failOnce is one of the ways in which a single publish fails, or is slow.
func (p *simulatedPublisher) failOnce(e *bridge.Event, done func(error), how int, there time.Duration) {
	switch how {
	case 0: // refused
		time.AfterFunc(there, func() { done(bridge.Unavailable("no leader")) })
	case 1: // written, and the acknowledgement is lost
		time.AfterFunc(there, func() {
			p.store(e, false)
			time.AfterFunc(ackTimeout, func() { done(bridge.Unavailable("no acknowledgement")) })
		})
	case 2: // written, and acknowledged late
		time.AfterFunc(there, func() { p.store(e, false); time.AfterFunc(4*time.Second, func() { done(nil) }) })
	case 3: // slow on the way
		time.AfterFunc(4*time.Second, func() { p.store(e, false); done(nil) })
	}
}

// store puts the event on the topic, unless the program that sent it has crashed meanwhile: to whoever looks at the
// disk that remains, it had crashed before.
func (p *simulatedPublisher) store(e *bridge.Event, dead bool) {
	s := p.broker.simulation
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life == p.life {
		kept := *e
		p.broker.topic = append(p.broker.topic, publishing{event: &kept, at: bridge.MillisOf(s.wallLocked()), dead: dead})
	}
}

// draw returns the random numbers of this try.
func (b *simulatedBroker) draw(e *bridge.Event) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write(binary.BigEndian.AppendUint64(e.ID[:], b.simulation.seed+ordinal(e.Sequence)))
	return rand.New(rand.NewPCG(h.Sum64(), uint64(time.Now().UnixNano())))
}

// change makes the broker be in another way from now on.
func (b *simulatedBroker) change(f func()) {
	b.simulation.mu.Lock()
	defer b.simulation.mu.Unlock()
	f()
}

func (b *simulatedBroker) heal() {
	b.change(func() { b.away, b.silent, b.faultRate, b.poison = false, false, 0, false; clear(b.down) })
}

// first returns the events without repeats.
func (b *simulatedBroker) first() []*bridge.Event {
	seen := make(map[string]bool)
	var out []*bridge.Event
	for _, p := range b.topic {
		if key := string(p.event.AppendStructured(nil)); !seen[key] {
			seen[key] = true
			out = append(out, p.event)
		}
	}
	return out
}
