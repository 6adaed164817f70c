package processor_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// TestDuplicatesAndTampering is what the memory of ids and signatures makes of a second callback, in the same commit,
// in a later one, and after a restart.
func TestDuplicatesAndTampering(t *testing.T) {
	first := func() *bridge.Arrival { return signed(push("a", 1e11, bridge.PhasePublish), 1, 1) }
	other := func(sum, fields byte) *bridge.Arrival {
		return signed(push("a", 1e11+1000, bridge.PhasePublish), sum, fields)
	}
	free := other(1, 2)
	free.Signature.Strict = false
	for _, c := range []struct {
		name    string
		second  *bridge.Arrival
		reuse   bool
		verdict processor.Verdict
	}{
		{"the same", first(), false, processor.VerdictDuplicate},
		{"the same, signed again", signed(first(), 2, 1), false, processor.VerdictDuplicate},
		{"another under another signature", other(2, 2), false, processor.VerdictHeld}, // the session before is open
		{"other signed fields under the signature", other(1, 2), false, processor.VerdictQuarantined},
		{"other members under the signature", other(1, 1), false, processor.VerdictQuarantined},
		{"other members, reuse accepted", other(1, 1), true, processor.VerdictHeld},
		{"other signed fields, reuse accepted", other(1, 2), true, processor.VerdictQuarantined},
		{"other signed fields, not strict", free, true, processor.VerdictQuarantined},
	} {
		for _, when := range []string{"in the same commit", "in the next", "after a restart"} {
			o := defaults()
			o.SignatureReuse = c.reuse
			s := observe(t, o)
			if when == "in the same commit" {
				s.must(s.Arrive(first(), c.second))
			} else {
				s.take(first())
				if when == "after a restart" {
					s.restart()
				}
				s.take(c.second)
			}
			quarantined := 0
			if c.verdict == processor.VerdictQuarantined {
				quarantined = 1
			}
			if held := s.Holding() == 1; len(s.Emitted) != 1 || held != (c.verdict == processor.VerdictHeld) ||
				(s.Total.Duplicates == 1) != (c.verdict == processor.VerdictDuplicate) {
				t.Errorf("%s %s: %d emitted, %d held, %d duplicates", c.name, when, len(s.Emitted), s.Holding(), s.Total.Duplicates)
			}
			s.is(c.name+" "+when, "in quarantine as tampered", s.Total.Quarantined[bridge.ReasonTampered], quarantined)
		}
	}
}

// TestFirstUseOfASignatureStands: what a signature was first seen over counts, however many others were caught.
func TestFirstUseOfASignatureStands(t *testing.T) {
	s := observe(t, defaults())
	a := signed(unsigned("a"), 1, 1)
	s.take(a)
	s.tampers("another", true, signed(unsigned("b"), 1, 2))
	s.tampers("one more", true, signed(unsigned("c"), 1, 1))
	s.take(a)
	s.is("the first again", "duplicates", s.Total.Duplicates, 1)
}

// TestVerdicts: each callback has one verdict, which names its event, as it was decided at its time.
func TestVerdicts(t *testing.T) {
	s := observe(t, defaults())
	var eff processor.Effects
	quarantined := suspect("d", 1, bridge.ReasonExpired)
	for _, a := range []*bridge.Arrival{unsigned("a"), unsigned("a"), ended("c", 1), quarantined, quarantined} {
		s.must(s.Apply(processor.Input{Action: processor.Arrive, Arrival: a, Now: s.Now()}, &eff))
	}
	var got []string
	for _, d := range eff.Decisions {
		got = append(got, d.Event.Lane.Stream+" "+d.Verdict.String()+" "+string(d.Reason))
		if d.Event.Recorded != s.Now().Millis() {
			t.Errorf("%s was decided at %s", d.Event.Lane.Stream, d.Event.Recorded)
		}
	}
	want := []string{"a emitted ", "a duplicate ", "c held ", "d quarantined expired", "d quarantined expired"}
	if !slices.Equal(got, want) || eff.Duplicates != 2 {
		t.Errorf("%q, %d duplicates; want %q and 2", got, eff.Duplicates, want)
	}
	if quarantined.Event.Reason != "" || quarantined.Event.Recorded != 0 {
		t.Errorf("the arrival was changed: %+v", quarantined.Event)
	}
}

// TestIdentityWaitsForTheCommit: where the id depends on the time of the commit, it is that of the input's time.
func TestIdentityWaitsForTheCommit(t *testing.T) {
	s := observe(t, defaults())
	a := unsigned("a")
	a.Identity = &bridge.Identity{Data: []byte(`{"a":1}`)}
	s.take(a)
	s.sleep(time.Second)
	s.take(a) // another occurrence: it comes at another time
	want := []bridge.ID{
		a.Identity.ID(a.Event.Lane.Kind, bridge.MillisOf(begin)),
		a.Identity.ID(a.Event.Lane.Kind, bridge.MillisOf(begin)+1000),
	}
	if out := s.out(); len(out) != 2 || out[0].ID != want[0] || out[1].ID != want[1] {
		t.Errorf("%v, want %v", out, want)
	}
}

// TestCacheChangesNothing: the same callbacks come to the same with a memory of one lane and of all.
func TestCacheChangesNothing(t *testing.T) {
	var outputs [][]string
	for _, cached := range []int{1, 1000} {
		o := defaults()
		o.LanesCached = cached
		s := observe(t, o)
		for i := range 60 {
			s.take(
				ended([]string{"a", "b", "c"}[i%3], i/9),
				push([]string{"b", "c", "a"}[i%3], 1.7e12+bridge.Millis(i/6), bridge.PhasePublish),
			)
			s.sleep(time.Duration(i%7) * time.Second)
		}
		var lines []string
		for _, e := range s.out() {
			lines = append(lines, s.line(e))
		}
		outputs = append(outputs, lines)
	}
	if len(outputs[0]) < 50 || !slices.Equal(outputs[0], outputs[1]) {
		t.Errorf("with a memory of one lane:\n%q\nof all:\n%q", outputs[0], outputs[1])
	}
}

// broken is a View that cannot be read.
type broken struct{ processor.View }

var errBroken = errors.New("broken")

func (broken) Lane(bridge.Lane, processor.Moment) (l processor.LaneState, found bool, err error) {
	return l, false, errBroken
}

// TestViewThatCannotBeRead: its error comes back, from whatever needs it.
func TestViewThatCannotBeRead(t *testing.T) {
	s := observe(t, defaults())
	p, err := processor.New(defaults(), broken{s.Memory}, s.Memory.Counters, s.Kept(), s.Now())
	s.must(err)
	var eff processor.Effects
	for _, in := range []processor.Input{
		{Action: processor.Arrive, Arrival: unsigned("a")},
		{Action: processor.Replay, Events: []*bridge.Event{&unsigned("a").Event}},
		{Action: processor.Forget, Idle: []bridge.Lane{unsigned("a").Event.Lane}},
	} {
		in.Now = s.Now()
		if err := p.Apply(in, &eff); !errors.Is(err, errBroken) {
			t.Errorf("action %d: %v", in.Action, err)
		}
	}
	if err := p.Apply(processor.Input{Action: 99}, &eff); err == nil {
		t.Error("an unknown action was applied")
	}
	if _, err := processor.New(defaults(), broken{s.Memory}, s.Memory.Counters,
		processor.Kept{Holding: []bridge.Lane{{Kind: 1}}}, s.Now()); !errors.Is(
		err,
		errBroken,
	) {
		t.Errorf("New: %v", err)
	}
}
