package journal

import (
	"testing"

	"livebridge/bridge"
)

// TestDecisionOfACallback: whoever hands a callback over learns what was decided on it and the id of its event. An
// event that is emitted from memory is in its callback's trace, and no record has one.
func TestDecisionOfACallback(t *testing.T) {
	o := memory()
	j := open(t, o)
	started, ended := push("a", 9e11, bridge.PhasePublish), push("b", 9e11, bridge.PhaseDone)
	started.Event.Trace = &bridge.Trace{TraceID: [16]byte{1}}
	for _, step := range []struct {
		a    *bridge.Arrival
		want string
	}{
		{started, "emitted"}, {push("a", 9e11, bridge.PhasePublish), "duplicate"}, {ended, "held"},
		{suspect("c", 1, bridge.ReasonTampered), "quarantined"},
	} {
		id := step.a.Event.ID
		add(t, j, step.a)
		if step.a.Decision != step.want || step.a.Event.ID != id {
			t.Errorf("%v: %q, want %q; the id is %v", step.a.Event.Lane, step.a.Decision, step.want, step.a.Event.ID)
		}
	}
	discriminated := push("d", 0, bridge.PhaseNone)
	discriminated.Event.ID, discriminated.Identity = bridge.ID{}, &bridge.Identity{Data: []byte("d")}
	add(t, j, discriminated)
	if discriminated.Event.ID == (bridge.ID{}) {
		t.Error("the id that the commit gives is not told")
	}
	events, err := j.outbox.Next(soon(t))
	if err != nil || events[0].Trace != started.Event.Trace {
		t.Errorf("%+v, %v", events, err)
	}
	j.Stop()
	closeJournal(t, j)
	j = open(t, o)
	defer closeJournal(t, j)
	events, err = j.outbox.Next(soon(t))
	for _, e := range events {
		if e.Trace != nil {
			t.Errorf("%+v is in a trace after the restart", e)
		}
	}
	if err != nil || len(events) == 0 {
		t.Error(events, err)
	}
}
