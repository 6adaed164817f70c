package sequencer_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
	"livebridge/bridge/sequencer/sequencertest"
)

// explorer walks through every order in which the events of its alphabet can reach a lane, with holds that end or do
// not end between any two of them, and compares the sequencer with the model at each step.
type explorer struct {
	t        *testing.T
	limits   sequencer.Limits
	alphabet []sequencer.Key
	steps    int
	path     []string
}

// node is one point of the walk. Nodes share the memory of their states, so a sequencer that wrote to it would show.
type node struct {
	state    sequencer.State
	model    *sequencertest.Model
	now      sequencer.Instant
	arrivals []arrival
	out      []emitted
}

func TestExploreTwoSessions(t *testing.T) {
	keys := []sequencer.Key{start(1), done(1), start(2), done(2), {}}
	explore(t, keys, 5, []sequencer.Limits{
		{HoldDone: 10, HoldNext: 3, PerLane: 16}, {HoldDone: 3, HoldNext: 10, PerLane: 16},
		{HoldDone: 0, HoldNext: 3, PerLane: 16}, {HoldDone: 10, HoldNext: 0, PerLane: 16}, {PerLane: 16},
		{HoldDone: 10, HoldNext: 3, PerLane: 2}, {HoldDone: 10, HoldNext: 3, PerLane: 1}, {HoldDone: 10, HoldNext: 3},
	})
}

func TestExploreThreeSessions(t *testing.T) {
	keys := []sequencer.Key{start(1), done(1), start(2), done(2), start(3), done(3)}
	explore(t, keys, 5, []sequencer.Limits{
		{HoldDone: 10, HoldNext: 3, PerLane: 16}, {HoldDone: 3, HoldNext: 10, PerLane: 2},
	})
}

func explore(t *testing.T, keys []sequencer.Key, depth int, limits []sequencer.Limits) {
	for _, l := range limits {
		e := &explorer{t: t, limits: l, alphabet: keys}
		e.visit(node{model: &sequencertest.Model{Limits: l}}, depth)
		t.Logf("holds %d and %d, %d per lane: %d steps", l.HoldDone, l.HoldNext, l.PerLane, e.steps)
	}
}

// visit tries every event as the next arrival, depth of them in all, and before each, for as long as something is held,
// the nearest deadline, one past all deadlines, and an overflow.
func (e *explorer) visit(n node, depth int) {
	if depth == 0 || e.t.Failed() {
		e.end(n)
		return
	}
	for _, k := range e.alphabet {
		in := sequencer.Input{At: n.now + 1, Wall: wall, Kind: bridge.KindStream, Key: k,
			ID: bridge.ID{byte(len(n.arrivals) + 1)}}
		e.visit(e.step(n, in, name(k)), depth-1)
		e.path = e.path[:len(e.path)-1]
	}
	if len(n.state.Held) == 0 {
		return
	}
	nearest := n.state.Held[n.state.Nearest()].Deadline
	for _, in := range []sequencer.Input{
		{Action: sequencer.Expire, At: max(nearest, n.now)},
		{Action: sequencer.Expire, At: n.now + sequencer.Instant(time.Hour)},
		{Action: sequencer.Overflow, At: n.now},
	} {
		e.visit(e.step(n, in, fmt.Sprintf("%d@%d", in.Action, in.At)), depth)
		e.path = e.path[:len(e.path)-1]
	}
}

// step applies one input to both, compares them and returns the node behind it.
func (e *explorer) step(n node, in sequencer.Input, what string) node {
	e.steps++
	e.path = append(e.path, what)
	next := node{model: n.model.Clone(), now: max(n.now, in.At), arrivals: n.arrivals}
	if in.Action == sequencer.Arrive {
		next.arrivals = append(slices.Clip(n.arrivals), arrival{in.ID, in.Key, in.At})
	}
	t := sequencer.Apply(n.state, in, e.limits)
	next.state = t.State
	next.out = slices.Clip(n.out)
	for _, o := range t.Emit {
		next.out = append(next.out, emitted{o, in.At})
	}
	if msg := compareWithModel(t, next.model.Step(in), next.model, in); msg != "" {
		e.t.Fatalf("%v: %s", e.path, msg)
	}
	if msg := checkIsolation(n.state, t); msg != "" {
		e.t.Fatalf("%v: %s", e.path, msg)
	}
	return next
}

// end lets all holds end and checks the whole walk.
func (e *explorer) end(n node) {
	at := n.now + sequencer.Instant(time.Hour)
	last := e.step(n, sequencer.Input{Action: sequencer.Expire, At: at}, "end")
	if msg := invariants(last.arrivals, last.out, e.limits); msg != "" {
		e.t.Fatalf("%v: %s", e.path, msg)
	}
	e.path = e.path[:len(e.path)-1]
}
