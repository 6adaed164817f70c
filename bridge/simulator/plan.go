package simulator

import (
	"fmt"
	"math/rand/v2"

	"livebridge/bridge"
)

// maxOffset is how many callbacks a stream has: their signatures expire a second apart and must not expire too far
// ahead. Then another stream replaces it.
const maxOffset = 3000

// failureShare is the share of recordings that fail.
const failureShare = 0.05

// twinSuffix ends the name of a transcoded twin, as the provider's template ids do.
const twinSuffix = "_lhd"

// plan yields the callbacks of one connection in the order of sending. No other connection sends its streams.
type plan struct {
	c          *Config
	random     *rand.Rand
	streams    []stream
	nextStream int
	pending    []Callback
	twin       bool // the scenario that is planned has a transcoded twin
}

// stream is the state of a stream.
type stream struct {
	number, successor int
	name              string
	scenarios         int // so far
	session           int64
	offset            int64
}

func newPlan(c *Config, n, of int) *plan {
	p := &plan{c: c, random: rand.New(rand.NewPCG(c.Seed, uint64(n)))}
	for s := n; s < c.Streams; s += of {
		p.streams = append(p.streams, stream{number: s, name: fmt.Sprintf("room%d", s), scenarios: s})
	}
	return p
}

// next returns the next callback.
func (p *plan) next() Callback {
	if len(p.pending) == 0 {
		p.scenario(&p.streams[p.nextStream])
		p.nextStream = (p.nextStream + 1) % len(p.streams)
	}
	c := p.pending[0]
	p.pending = p.pending[1:]
	return c
}

// scenario plans the next push, recording or snapshot of a stream; kinds take turns.
func (p *plan) scenario(s *stream) {
	if s.offset >= maxOffset {
		next := s.successor + 1
		*s = stream{
			number: s.number, successor: next, name: fmt.Sprintf("room%d-%d", s.number, next), scenarios: s.scenarios,
		}
	}
	kind := p.c.Kinds[s.scenarios%len(p.c.Kinds)]
	s.scenarios++
	p.twin = p.draw(p.c.Twins) && kind != bridge.KindRTCRecord
	switch kind {
	case bridge.KindRecord:
		p.record(s)
	case bridge.KindSnapshot:
		p.add(s, p.callback(s, kind, ""))
	case bridge.KindRTCRecord:
		p.recorded(s, kind, "CLOUD_RECORD_SERVER_OVER", "RECORD_NEW_FILE_START")
	default:
		p.push(s)
	}
	s.session++
}

// push plans one push of a stream, or two that overlap.
func (p *plan) push(s *stream) {
	start, end := p.callback(s, bridge.KindStream, "PUBLISH"), p.callback(s, bridge.KindStream, "PUBLISH_DONE")
	switch {
	case !p.draw(p.c.Disorder):
		p.add(s, start, end)
	case p.draw(0.5):
		p.add(s, end, start)
	default:
		s.session++
		p.add(s, start, p.callback(s, bridge.KindStream, "PUBLISH"), end, p.callback(s, bridge.KindStream, "PUBLISH_DONE"))
	}
}

// record plans a Live recording: of one file, or one that fails.
func (p *plan) record(s *stream) {
	if p.draw(failureShare) {
		p.add(s, p.callback(s, bridge.KindRecord, "RECORD_START"), p.callback(s, bridge.KindRecord, "RECORD_FAILED"))
		return
	}
	p.recorded(s, bridge.KindRecord, "RECORD_OVER", "RECORD_START", "RECORD_NEW_FILE_START")
}

// recorded plans a recording of one file, which may be complete before or after the recording is over.
func (p *plan) recorded(s *stream, kind bridge.Kind, over string, events ...string) {
	last := []string{"RECORD_FILE_COMPLETE", over}
	if p.draw(p.c.Disorder) {
		last[0], last[1] = last[1], last[0]
	}
	for _, event := range append(events, last...) {
		p.add(s, p.callback(s, kind, event))
	}
}

func (p *plan) callback(s *stream, kind bridge.Kind, event string) Callback {
	c := Callback{Kind: kind, Stream: s.name, Event: event, Session: s.session}
	if p.draw(p.c.Numbers) {
		c.Numbers = 1 + p.random.IntN(2)
	}
	return c
}

// add plans callbacks, with the forgeries, redeliveries and twins around them.
func (p *plan) add(s *stream, callbacks ...Callback) {
	for _, c := range callbacks {
		c.Offset = s.expiry()
		if p.draw(p.c.Forged) {
			forged := c
			forged.Forged = true
			p.pending = append(p.pending, forged)
		}
		p.pending = append(p.pending, c)
		if p.draw(p.c.Repeat) {
			p.pending = append(p.pending, p.repeat(s, c))
		}
		if p.twin {
			c.Stream += twinSuffix
			p.pending = append(p.pending, c)
		}
	}
}

// repeat returns a redelivery, half of the time signed again. A snapshot has no signature and stays unchanged.
func (p *plan) repeat(s *stream, c Callback) Callback {
	c.Again, c.Resign = 1, p.draw(0.5) && c.Kind != bridge.KindSnapshot
	if c.Resign {
		c.Offset = s.expiry()
	}
	return c
}

// expiry returns the next Callback.Offset.
func (s *stream) expiry() int64 {
	s.offset++
	return s.offset - 1
}

func (p *plan) draw(share float64) bool { return p.random.Float64() < share }
