package journal

import (
	"context"
	"errors"
	"slices"
	"testing"

	"livebridge/bridge"
)

// TestOpenSessions: a lane whose last event in order is a PUBLISH has an open session; held events open and close none.
func TestOpenSessions(t *testing.T) {
	j := open(t, memory())
	defer closeJournal(t, j)
	const p, d = bridge.PhasePublish, bridge.PhaseDone
	other := push("a", 4000, p)
	other.Event.Lane.Domain = "push.example.com.other"
	record := push("a", 9000, p)
	record.Event.Lane.Kind = bridge.KindRecord
	add(t, j, push("a", 1000, p), push("a", 1000, d), push("a", 2000, p), push("b", 1000, p), push("b", 1000, d),
		push("c", 1000, d), push("e", 1000, p), push("e", 2000, d), push("e", 2000, p), other, record)
	domain := push("a", 1000, p).Event.Lane.Domain
	for asked, want := range map[string][]bridge.OpenSession{
		domain: {{Domain: domain, App: "live", Stream: "a", Session: 2000},
			{Domain: domain, App: "live", Stream: "e", Session: 1000}},
		"push.example.com.other": {{Domain: "push.example.com.other", App: "live", Stream: "a", Session: 4000}},
		"example.com":            nil,
	} {
		got, err := j.OpenSessions(t.Context(), asked)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %+v %v, want %+v", asked, got, err, want)
		}
	}
	if all, err := j.OpenSessions(t.Context(), ""); err != nil || len(all) != 3 {
		t.Errorf("all: %+v %v", all, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.OpenSessions(ended, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestSessionEventsAreReplayed: a lane of the kind session can be named as every other.
func TestSessionEventsAreReplayed(t *testing.T) {
	j := open(t, memory())
	defer closeJournal(t, j)
	a := push("a", 1000, bridge.PhaseNone)
	a.Event.Lane.Kind, a.Event.Session, a.Signature = bridge.KindSession, 0, bridge.Signature{}
	add(t, j, a)
	r, err := j.Replay(bridge.ReplayQuery{Kind: "session", Lane: a.Event.Lane.Subject()})
	if err != nil || r.Replayed != 1 {
		t.Errorf("%+v %v", r, err)
	}
}
