package main

import (
	"fmt"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/session"
)

// simulatedStale is SESSION_STALE_AFTER of the simulations that have events of sessions.
const simulatedStale = 10 * time.Minute

// sessions reports whether the simulation has events of sessions.
func (s *simulation) sessions() bool { return s.seed%4 == 3 }

// judgeSessions fails unless every session whose end has come out has one event that says so, none has two, and each
// that is said to be stale had begun long enough before.
func (s *simulation) judgeSessions() {
	if !s.sessions() {
		return
	}
	ends, told := make(map[string]int), make(map[string]int)
	stale := 0
	for _, e := range s.firstOfAll() {
		key := fmt.Sprint(e.Lane.Subject(), " ", e.Session)
		switch {
		case e.Type == session.TypeEnded:
			told[key]++
		case e.Type == session.TypeStale:
			stale++
			if e.Recorded-e.Occurred < bridge.Millis(simulatedStale.Milliseconds()) {
				s.t.Errorf("stale too early: %s", e.Data)
			}
		case e.Phase == bridge.PhaseDone && e.Marks&(bridge.MarkReopened|bridge.MarkUnsequenced) == 0:
			ends[key]++
		}
	}
	for key, n := range ends {
		if told[key] != 1 {
			s.t.Errorf("%s: %d ends have come out, %d are told", key, n, told[key])
		}
	}
	if len(told) != len(ends) || len(ends) == 0 {
		s.t.Errorf("%d sessions have ended, %d are told to have", len(ends), len(told))
	}
	s.t.Logf("%d sessions have ended, %d are stale", len(told), stale)
}

// firstOfAll returns all events that have come out or are dead letters, each once.
func (s *simulation) firstOfAll() (out []*bridge.Event) {
	seen := make(map[string]bool)
	for _, p := range s.broker.topic {
		if of := fmt.Sprint(p.event.Lane, p.event.Sequence); !seen[of] {
			seen[of] = true
			out = append(out, p.event)
		}
	}
	return out
}
