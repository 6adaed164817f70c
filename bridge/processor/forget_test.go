package processor_test

import (
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// TestLanesAreForgotten: one that is closed after 7 idle days, one that is open after 30, one that holds something not
// at all; whoever comes back goes on above all that were forgotten.
func TestLanesAreForgotten(t *testing.T) {
	const day = 24 * time.Hour
	o := defaults()
	o.Limits.HoldDone = 1000 * day
	s := observe(t, o)
	s.Every = time.Minute
	s.take(
		push("closed", 1.7e12, bridge.PhasePublish),
		push("closed", 1.7e12, bridge.PhaseDone),
		push("open", 1.7e12, bridge.PhasePublish),
		ended("held", 1),
		recording("record", 1),
	)
	lanes := func(when string, want int) {
		t.Helper()
		s.is(when, "lanes", s.Lanes(), want)
	}
	lanes("at first", 4)
	s.sleep(7*day - time.Minute)
	lanes("after almost 7 days", 4)
	s.take(recording("record", 2))
	s.sleep(2 * time.Minute)
	lanes("after 7 days", 3) // the closed one is gone
	s.sleep(7 * day)
	lanes("after 14", 2) // and the recording
	s.sleep(16*day + time.Minute)
	lanes("after 30", 1)
	s.restart()
	s.sleep(100 * day)
	lanes("later", 1)
	s.out()
	s.take(recording("new", 1))
	if e := s.out()[0]; e.Sequence != floor()+3 {
		t.Errorf("a new lane begins with %d, want 3", e.Sequence-floor())
	}
}

// TestBusyLaneIsNotForgotten: a lane that the same commit changes is not forgotten by it, though it has been idle for
// long, nor is one that the caller takes for idle and that is not.
func TestBusyLaneIsNotForgotten(t *testing.T) {
	s := observe(t, defaults())
	s.take(ended("a", 1), recording("b", 1))
	s.must(s.Down(processor.ForgetClosed + time.Hour)) // the hold ends with this restart
	a := ended("a", 1).Event.Lane
	s.take(ended("c", 1))
	s.must(s.Do(
		processor.Input{Action: processor.Replay, Events: []*bridge.Event{&recording("b", 1).Event}},
		processor.Input{
			Action: processor.Forget,
			Idle:   []bridge.Lane{recording("b", 1).Event.Lane, ended("c", 1).Event.Lane, {Kind: 1, Stream: "none"}},
		},
	))
	s.is("in use", "lanes", s.Lanes(), 3)
	s.must(s.Do(processor.Input{Action: processor.Forget, Idle: []bridge.Lane{a}}))
	s.is("idle", "lanes", s.Lanes(), 2)
}

// TestLaneThatEmitsIsNotForgotten: a lane whose last hold ends in a commit is not forgotten by it, however long nothing
// has come for it: what it emits is on its way.
func TestLaneThatEmitsIsNotForgotten(t *testing.T) {
	s := observe(t, defaults())
	s.take(ended("a", 1))
	later := s.Now()
	later = processor.MomentOf(time.Duration(later.At)+processor.ForgetClosed+time.Hour,
		later.Wall.Add(processor.ForgetClosed+time.Hour))
	var eff processor.Effects
	for _, in := range []processor.Input{
		{Action: processor.Expire}, {Action: processor.Forget, Idle: []bridge.Lane{ended("a", 1).Event.Lane}},
	} {
		in.Now = later
		s.must(s.Apply(in, &eff))
	}
	if len(eff.Emitted) != 1 || len(eff.Forgotten) != 0 {
		t.Errorf("%d events are emitted, forgotten are %v", len(eff.Emitted), eff.Forgotten)
	}
}

// TestForgetChangesNothingElse: housekeeping of a partition where nothing has grown old has nothing to commit.
func TestForgetChangesNothingElse(t *testing.T) {
	s := observe(t, defaults())
	s.take(recording("a", 1), ended("b", 1), suspect("c", 1, bridge.ReasonExpired))
	var eff processor.Effects
	forget := func() {
		s.must(s.Apply(processor.Input{Action: processor.Forget, Now: s.Now()}, &eff))
	}
	forget() // signatures of the past, once
	if eff.SignaturesBelow == 0 {
		t.Error("signatures that have expired are kept")
	}
	eff.Reset()
	forget()
	if eff.Changes() {
		t.Errorf("it changes %+v", eff)
	}
}

// TestEffectsAreReset: emptied effects say nothing, hold on to nothing, and keep their memory.
func TestEffectsAreReset(t *testing.T) {
	s := observe(t, defaults())
	var eff processor.Effects
	if eff.Changes() || eff.Bytes() != 0 {
		t.Errorf("new effects change something: %+v", eff)
	}
	for _, a := range []*bridge.Arrival{recording("a", 1), ended("b", 1), suspect("c", 1, bridge.ReasonExpired)} {
		before := eff.Bytes()
		s.must(s.Apply(processor.Input{Action: processor.Arrive, Arrival: a, Now: s.Now()}, &eff))
		if !eff.Changes() || eff.Bytes() < before+len(a.Event.Data) {
			t.Errorf("%s: %d bytes after %d", a.Event.Lane.Stream, eff.Bytes(), before)
		}
	}
	kept := eff.Emitted[:1]
	eff.Reset()
	if eff.Changes() || eff.Bytes() != 0 || len(eff.Decisions) != 0 || eff.Duplicates != 0 || kept[0] != nil {
		t.Errorf("left is %+v", eff)
	}
	s.must(s.Apply(processor.Input{Action: processor.Arrive, Arrival: recording("a", 1), Now: s.Now()}, &eff))
	if eff.Changes() || eff.Duplicates != 1 {
		t.Errorf("a duplicate changes %+v", eff)
	}
}
