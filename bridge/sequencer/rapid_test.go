package sequencer_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
	"livebridge/bridge/sequencer/sequencertest"
	"pgregory.net/rapid"
)

// machine drives one lane with long random histories: many sessions, clocks that stand still or leap, every action.
type machine struct {
	state    sequencer.State
	model    *sequencertest.Model
	limits   sequencer.Limits
	now      sequencer.Instant
	buffer   []sequencer.Emission
	inputs   []sequencer.Input
	arrivals []arrival
	out      []emitted
}

func TestLongHistories(t *testing.T) { rapid.Check(t, history) }

func history(t *rapid.T) {
	limits := sequencer.Limits{
		HoldDone: time.Duration(rapid.IntRange(0, 20).Draw(t, "HoldDone")),
		HoldNext: time.Duration(rapid.IntRange(0, 20).Draw(t, "HoldNext")),
		PerLane:  rapid.IntRange(0, 16).Draw(t, "PerLane"),
	}
	m := &machine{limits: limits, model: &sequencertest.Model{Limits: limits}}
	t.Repeat(map[string]func(*rapid.T){
		"arrive": func(t *rapid.T) {
			for range rapid.IntRange(1, 12).Draw(t, "burst") {
				m.arrive(t)
			}
		},
		"expire": func(t *rapid.T) {
			m.apply(t, sequencer.Input{Action: sequencer.Expire})
			check(t, checkExpired(m.state, m.arrivals, m.now, m.limits))
		},
		"replay":   func(t *rapid.T) { m.apply(t, sequencer.Input{Action: sequencer.Replay, ID: m.id()}) },
		"overflow": func(t *rapid.T) { m.apply(t, sequencer.Input{Action: sequencer.Overflow}) },
		"tick":     func(t *rapid.T) { m.now += sequencer.Instant(rapid.IntRange(1, 30).Draw(t, "ticks")) },
		"":         func(t *rapid.T) { m.checkBounds(t) },
	})
	m.now += 100
	m.apply(t, sequencer.Input{Action: sequencer.Expire})
	check(t, invariants(m.arrivals, m.out, limits))
	m.checkUndisturbed(t)
}

func (m *machine) arrive(t *rapid.T) {
	k := sequencer.Key{
		Session: session(rapid.IntRange(0, 12).Draw(t, "session")),
		Phase:   rapid.SampledFrom([]bridge.Phase{1, 2}).Draw(t, "phase"),
	}
	in := sequencer.Input{Wall: wall, ID: m.id(), Kind: bridge.KindStream, Key: k}
	switch rapid.IntRange(0, 20).Draw(t, "oddity") {
	case 0:
		in.Key = sequencer.Key{}
	case 1:
		in.Key.Session = wall + bridge.MaxSessionAhead + 1
	case 2:
		in.Unknown = true
	}
	m.apply(t, in)
}

// id returns an id not used before.
func (m *machine) id() bridge.ID {
	var id bridge.ID
	binary.BigEndian.PutUint64(id[:], uint64(len(m.inputs)+1))
	return id
}

// apply does one input at the present instant in the sequencer and the model, and compares them.
func (m *machine) apply(t *rapid.T, in sequencer.Input) {
	in.At = m.now
	m.inputs = append(m.inputs, in)
	if in.Action == sequencer.Arrive {
		m.arrivals = append(m.arrivals, arrival{in.ID, in.Key, in.At})
	}
	before, memory := m.state, slices.Clone(m.state.Held)
	got := sequencer.ApplyInto(m.buffer, m.state, in, m.limits)
	if !slices.Equal(before.Held, memory) {
		t.Fatalf("%+v changed the incoming state", in)
	}
	check(t, compareWithModel(got, m.model.Step(in), m.model, in))
	check(t, checkIsolation(before, got))
	for _, e := range got.Emit {
		m.out = append(m.out, emitted{e, in.At})
	}
	m.state, m.buffer = got.State, got.Emit
}

// checkBounds is invariant 8 and what State promises about itself.
func (m *machine) checkBounds(t *rapid.T) {
	held := m.state.Held
	if len(held) > m.limits.PerLane {
		t.Fatalf("8: %d held of %d", len(held), m.limits.PerLane)
	}
	last := m.state.Last
	for _, h := range held {
		if h.Key.Compare(last) <= 0 {
			t.Fatalf("held out of order: %+v behind %+v", held, m.state.Last)
		}
		last = h.Key
	}
}

// checkUndisturbed is invariant 9 over a whole history: without the events outside the order, the others come out the
// same.
func (m *machine) checkUndisturbed(t *rapid.T) {
	apart := map[bridge.ID]bool{}
	var want []sequencer.Emission
	for _, e := range m.out {
		if apart[e.ID] = e.Marks&unordered != 0; !apart[e.ID] {
			e.Sequence = 0
			want = append(want, e.Emission)
		}
	}
	var state sequencer.State
	var got []sequencer.Emission
	for _, in := range m.inputs {
		if apart[in.ID] {
			continue
		}
		s := sequencer.Apply(state, in, m.limits)
		state = s.State
		for _, e := range s.Emit {
			e.Sequence = 0
			got = append(got, e)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("9: without what stands outside the order:\n got %v\nwant %v", got, want)
	}
}

func check(t *rapid.T, broken string) {
	if broken != "" {
		t.Fatal(broken)
	}
}
