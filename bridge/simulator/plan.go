package simulator

import (
	"fmt"
	"math/rand/v2"
)

// Callback is one thing to send. Its times are filled in when it is sent.
type Callback struct {
	Stream  string
	Event   string // PUBLISH or PUBLISH_DONE
	Session int64  // number of the push, from 0
	Forged  bool   // signed with another key
	Again   int    // how often it was sent before
	Resign  bool   // as a repeat: signed again
	Numbers int    // the form of its numbers: 0 as the provider's example, 1 the other way round, 2 with a stray comma
}

// Expect is the status that it should be answered with.
func (c Callback) Expect() int {
	if c.Forged {
		return 401
	}
	return 200
}

// plan yields the callbacks of one connection, whose streams are its own: their order is the order of sending.
type plan struct {
	c       *Config
	random  *rand.Rand
	streams []string
	turn    int
	session []int64
	pending []Callback
}

func newPlan(c *Config, n, of int) *plan {
	p := &plan{c: c, random: rand.New(rand.NewPCG(c.Seed, uint64(n)))}
	for s := n; s < c.Streams; s += of {
		p.streams = append(p.streams, fmt.Sprintf("room%d", s))
	}
	p.session = make([]int64, len(p.streams))
	return p
}

// next returns the next callback.
func (p *plan) next() Callback {
	if len(p.pending) == 0 {
		p.push(p.turn)
		p.turn = (p.turn + 1) % len(p.streams)
	}
	c := p.pending[0]
	p.pending = p.pending[1:]
	return c
}

// push plans one push of a stream, or two where they overlap.
func (p *plan) push(i int) {
	start, end := p.callback(i, "PUBLISH"), p.callback(i, "PUBLISH_DONE")
	p.session[i]++
	switch {
	case !p.draw(p.c.Disorder):
		p.add(start, end)
	case p.draw(0.5):
		p.add(end, start)
	default:
		next, nextEnd := p.callback(i, "PUBLISH"), p.callback(i, "PUBLISH_DONE")
		p.session[i]++
		p.add(start, next, end, nextEnd)
	}
}

func (p *plan) callback(i int, event string) Callback {
	c := Callback{Stream: p.streams[i], Event: event, Session: p.session[i]}
	if p.draw(p.c.Numbers) {
		c.Numbers = 1 + p.random.IntN(2)
	}
	return c
}

// add plans callbacks with what else goes wrong around them.
func (p *plan) add(callbacks ...Callback) {
	for _, c := range callbacks {
		if p.draw(p.c.Forged) {
			forged := c
			forged.Forged = true
			p.pending = append(p.pending, forged)
		}
		p.pending = append(p.pending, c)
		if p.draw(p.c.Repeat) {
			again := c
			again.Again, again.Resign = 1, p.draw(0.5)
			p.pending = append(p.pending, again)
		}
		if p.draw(p.c.Twins) {
			twin := c
			twin.Stream += "_lhd"
			p.pending = append(p.pending, twin)
		}
	}
}

func (p *plan) draw(share float64) bool { return p.random.Float64() < share }
