package processor_test

import (
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
)

// TestChanges: each effect alone is something to commit; decisions, counts and duplicates are not.
func TestChanges(t *testing.T) {
	event := []*bridge.Event{{}}
	for name, e := range map[string]processor.Effects{
		"emitted":            {Emitted: event},
		"lanes":              {Lanes: make([]processor.LaneState, 1)},
		"forgotten":          {Forgotten: make([]bridge.Lane, 1)},
		"held":               {Held: event},
		"released":           {Released: event},
		"identities":         {Identities: make([]processor.Name, 1)},
		"signatures":         {Signatures: make([]processor.Signature, 1)},
		"quarantined":        {Quarantined: make([]processor.Quarantined, 1)},
		"unquarantined":      {Unquarantine: make([]processor.QuarantineRecord, 1)},
		"dead letters":       {DeadLettered: make([]processor.DeadLetter, 1)},
		"no dead letters":    {DeadLettersRemoved: make([]processor.Entry, 1)},
		"identities dropped": {IdentitiesBelow: 1},
		"signatures dropped": {SignaturesBelow: 1},
	} {
		if !e.Changes() {
			t.Errorf("%s: nothing to commit", name)
		}
	}
	nothing := processor.Effects{Decisions: make([]processor.Decision, 1), Duplicates: 1, IdentitiesEvicted: 1}
	if nothing.Changes() {
		t.Error("a duplicate is committed")
	}
}

// apply applies arrivals to a new processor for one commit.
func apply(t *testing.T, arrivals ...*bridge.Arrival) (eff processor.Effects) {
	t.Helper()
	return applyWith(t, defaults(), arrivals...)
}

func applyWith(t *testing.T, o processor.Options, arrivals ...*bridge.Arrival) (eff processor.Effects) {
	t.Helper()
	now := processor.Moment{Wall: begin}
	p, err := processor.New(o, processortest.New(now.Millis()), processor.Counters{}, processor.Kept{}, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range arrivals {
		now.Wall = now.Wall.Add(time.Millisecond)
		if err := p.Apply(processor.Input{Action: processor.Arrive, Now: now, Arrival: a}, &eff); err != nil {
			t.Fatal(err)
		}
	}
	return eff
}

// TestLanesOnceEach: a lane that changes again in one commit is in the effects once, as it is at the end.
func TestLanesOnceEach(t *testing.T) {
	const p, d = bridge.PhasePublish, bridge.PhaseDone
	eff := apply(t, push("a", 1.7e12, p), push("b", 1.7e12, p), push("b", 1.7e12, d), push("a", 1.7e12, d))
	if len(eff.Lanes) != 2 || eff.Lanes[0].State.Last.Phase != d || eff.Lanes[1].State.Last.Phase != d {
		t.Errorf("%d lanes: %+v", len(eff.Lanes), eff.Lanes)
	}
}

// TestBytesOfEffects: what effects hold grows with what is emitted and held.
func TestBytesOfEffects(t *testing.T) {
	for _, phase := range []bridge.Phase{bridge.PhasePublish, bridge.PhaseDone} { // the second is held
		small, large := push("a", 1.7e12, phase), push("a", 1.7e12, phase)
		large.Event.Data = append(large.Event.Data, make([]byte, 1000)...)
		one, more := apply(t, small), apply(t, large)
		if more.Bytes()-one.Bytes() != 1000 || one.Bytes() <= len(small.Event.Data) {
			t.Errorf("phase %d: %d bytes, and %d with 1000 more", phase, one.Bytes(), more.Bytes())
		}
	}
}

// TestChangedLanesStayInMemory: what one commit has changed is not read from the view before it is there, though the
// lanes are more than LanesCached.
func TestChangedLanesStayInMemory(t *testing.T) {
	const p, d = bridge.PhasePublish, bridge.PhaseDone
	o := defaults()
	o.LanesCached = 1
	eff := applyWith(t, o, push("a", 1.7e12, p), push("b", 1.7e12, p), push("c", 1.7e12, p), push("a", 1.7e12, d))
	if len(eff.Emitted) != 4 || eff.Emitted[3].Sequence != eff.Emitted[0].Sequence+1 || eff.Emitted[3].Marks != 0 {
		t.Errorf("the end of the first push is not its second event: %+v", eff.Emitted)
	}
}

// forgetful is a view that has lost what is held.
type forgetful struct{ *processortest.Memory }

func (forgetful) Entry(processor.EntryRef) (e processor.Entry, found bool, err error) {
	return e, false, nil
}

// TestLostHold: a held event that the view does not have any more is an error, not an event.
func TestLostHold(t *testing.T) {
	now := processor.Moment{Wall: begin}
	view := forgetful{processortest.New(now.Millis())}
	p, err := processor.New(defaults(), view, processor.Counters{}, processor.Kept{}, now)
	if err != nil {
		t.Fatal(err)
	}
	var eff processor.Effects
	in := processor.Input{Action: processor.Arrive, Now: now, Arrival: push("a", 1.7e12, bridge.PhaseDone)}
	if err := p.Apply(in, &eff); err != nil || len(eff.Held) != 1 {
		t.Fatalf("%d held, %v", len(eff.Held), err)
	}
	view.Commit(&eff)
	p.Committed()
	eff.Reset()
	in.Arrival = push("a", 1.7e12, bridge.PhasePublish)
	if err := p.Apply(in, &eff); err == nil {
		t.Errorf("%d events without the held one", len(eff.Emitted))
	}
}

// TestFirstFloor: a lane has so many sequences for each millisecond, and a clock before 1970 has none.
func TestFirstFloor(t *testing.T) {
	for now, want := range map[bridge.Millis]uint64{5: 5 * processor.SequencesPerMilli, 0: 0, -5: 0} {
		if got := processor.FirstFloor(now); got != want {
			t.Errorf("%d: %d, want %d", now, got, want)
		}
	}
}

// TestForgettable: a closed lane can be forgotten after more than 7 idle days, an open one after more than 30.
func TestForgettable(t *testing.T) {
	for phase, keep := range map[bridge.Phase]time.Duration{
		bridge.PhaseDone: processor.ForgetClosed, bridge.PhasePublish: processor.ForgetOpen,
	} {
		l := processor.LaneState{Touched: 1000}
		l.State.Last.Phase = phase
		end := l.Touched + bridge.Millis(keep.Milliseconds())
		if l.Forgettable(end) || !l.Forgettable(end+1) {
			t.Errorf("phase %d: at the end %v, after it %v", phase, l.Forgettable(end), l.Forgettable(end+1))
		}
	}
}

// TestNumbersBeginWithOne: the first entry of a review queue has the number 1.
func TestNumbersBeginWithOne(t *testing.T) {
	s := observe(t, defaults())
	s.take(suspects(bridge.ReasonExpired, "a b")...)
	s.is("at first", "number", int(s.number(0)), 1)
	s.is("then", "number", int(s.number(1)), 2)
}
