package processor_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/session"
)

const start, done = bridge.PhasePublish, bridge.PhaseDone

// following are the defaults with events of sessions, and of those whose end is missing for an hour.
func following() processor.Options {
	o := defaults()
	o.SessionEvents, o.SessionStaleAfter = true, time.Hour
	return o
}

// sessions fails unless exactly these events of the kind session were emitted since the last call, in this order, as
// lines "stream ENDED session started-ended duration start_marks/end_marks" or "stream STALE session cause". Times are
// seconds since the beginning, sessions seconds since 1.7e12.
func (s *observed) sessions(when string, want ...string) {
	s.t.Helper()
	var got []string
	for _, e := range s.out() {
		if e.Lane.Kind == bridge.KindSession {
			got = append(got, s.sessionLine(e))
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		s.t.Errorf("%s:\n got %q\nwant %q", when, got, want)
	}
}

func (s *observed) sessionLine(e *bridge.Event) string {
	var d struct {
		Event, Session, Cause, Stream, Started, Ended string
		Duration                                      *int   `json:"duration_ms"`
		StartMarks                                    string `json:"start_marks"`
		EndMarks                                      string `json:"end_marks"`
	}
	if err := json.Unmarshal(e.Data, &d); err != nil {
		s.t.Fatal(err)
	}
	if fmt.Sprint(int64(e.Session)) != d.Session || e.Recorded == 0 || e.Lane.Stream != d.Stream {
		s.t.Errorf("%+v has the data %s", e, e.Data)
	}
	head := fmt.Sprintf("%s %s %d", d.Stream, d.Event, (e.Session-1.7e12)/1000)
	if d.Event == session.NameStale {
		return head + " " + d.Cause
	}
	duration := "-"
	if d.Duration != nil {
		duration = fmt.Sprint(*d.Duration / 1000)
	}
	return fmt.Sprintf("%s %s-%s %s %s/%s", head, seconds(d.Started), seconds(d.Ended), duration, d.StartMarks, d.EndMarks)
}

// seconds returns the seconds since the beginning of an instant; nothing of none.
func seconds(instant string) string {
	at, err := time.Parse(time.RFC3339, instant)
	if err != nil {
		return ""
	}
	return fmt.Sprint(at.Sub(begin).Seconds())
}

// of is a callback of the n-th session of a stream.
func of(stream string, n int, phase bridge.Phase) *bridge.Arrival {
	return push(stream, 1.7e12+bridge.Millis(n)*1000, phase)
}

// other makes it another event in the same place.
func other(a *bridge.Arrival) *bridge.Arrival {
	a.Event.ID[0]++
	a.Signature = bridge.Signature{}
	return a
}

// TestSessionEnds: every session that ends has one event with what is known of both ends.
func TestSessionEnds(t *testing.T) {
	s := observe(t, following())
	s.take(of("a", 1, start))
	s.sleep(5 * time.Second)
	s.take(of("a", 1, done), other(of("a", 1, done)), of("a", 1, done))
	s.sessions("in order", "a ENDED 1 0-5 5 /")
	s.take(of("b", 1, done))
	s.sleep(2 * time.Second)
	s.take(of("b", 1, start))
	s.sessions("the end first", "b ENDED 1 7-5 - /")
	s.take(of("c", 1, done))
	s.sleep(10 * time.Second)
	s.take(of("c", 1, start))
	s.sessions("a start that is late", "c ENDED 1 -7 - /start_unseen")
	s.take(of("a", 2, start), of("a", 3, start))
	s.sleep(3 * time.Second)
	s.take(of("a", 2, done), other(of("a", 2, done)), of("a", 3, done))
	s.sessions("a late end, twice", "a ENDED 2 17-20 3 /late", "a ENDED 3 17-20 3 prev_unended/")
	s.take(of("a", 0, done), other(of("a", 0, done)))
	s.sessions("an end alone, twice", "a ENDED 0 -20 - /late")
	s.take(unsigned("a"), other(of("a", 3, start)), suspect("a", 1, bridge.ReasonExpired))
	s.sessions("nothing of an end")
	s.take(of("d", 1, done), other(of("d", 1, done)))
	s.sessions("another end beside one that is held")
}

// TestSessionEventsAreOrdered: an event of a session is behind the one that it follows from, numbered in a lane of its
// own, and nothing else changes.
func TestSessionEventsAreOrdered(t *testing.T) {
	s := observe(t, following())
	s.take(of("a", 1, start), of("a", 1, done), of("a", 2, start), of("a", 2, done))
	s.wants("two sessions", "a 1 publish ", "a 2 publish_done ", "a 1 ended ", "a 3 publish ", "a 4 publish_done ",
		"a 2 ended ")
	s.restart()
	s.take(of("a", 3, start), of("a", 3, done))
	s.wants("a third", "a 5 publish ", "a 6 publish_done ", "a 3 ended ")
}

// TestNoSessionEvents: there are none unless they are wanted, and recordings have no session then.
func TestNoSessionEvents(t *testing.T) {
	o := defaults()
	o.SessionStaleAfter = time.Hour
	s := observe(t, o)
	s.take(of("a", 1, start), file("a", 1, 5), of("a", 1, done), of("b", 1, start))
	s.sleep(2 * time.Hour)
	for _, e := range s.out() {
		if e.Lane.Kind == bridge.KindSession || e.Lane.Kind == bridge.KindRecord && e.Session != 0 {
			t.Errorf("%+v", e)
		}
	}
}

// TestStale: a session without an end is stale once, SESSION_STALE_AFTER after its start was received, through
// restarts; it can end after that, and a later session is another one.
func TestStale(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		s := observe(t, following())
		again := func() {
			if restarts {
				s.restart()
			}
		}
		s.take(of("a", 1, start), of("ends", 1, start))
		again()
		s.at(30 * time.Minute)
		s.take(of("a", 2, start), of("ends", 1, done))
		s.sessions("one ends", "ends ENDED 1 0-1800 1800 /")
		s.at(time.Hour - time.Second)
		s.sessions("a second before")
		again()
		s.at(time.Hour)
		s.sessions("an hour after", "a STALE 1 timeout")
		again()
		s.at(89 * time.Minute)
		s.sessions("the second one goes on")
		s.take(of("a", 1, done))
		s.sessions("an end after all", "a ENDED 1 0-5340 5340 /late")
		s.at(10 * time.Hour)
		s.sessions("the second one is stale", "a STALE 2 timeout")
	}
}

// TestStaleIsToldOnce: what the provider's list has shown is not told again, nor the other way round, whatever is
// remembered of ids by then.
func TestStaleIsToldOnce(t *testing.T) {
	o := following()
	o.DedupeWindow = time.Minute
	listed := func(stream string) *bridge.Arrival {
		lane := of(stream, 1, start).Event.Lane
		return &bridge.Arrival{Event: session.Stale(session.PushOf(lane, 1.7e12+1000), session.CauseOffline, 5)}
	}
	s := observe(t, o)
	s.take(of("a", 1, start), of("b", 1, start))
	s.sleep(time.Minute)
	s.take(listed("a"))
	s.sessions("the list", "a STALE 1 offline")
	s.sleep(2 * time.Hour)
	s.sessions("the time", "b STALE 1 timeout")
	s.restart()
	before := s.Total.Duplicates
	s.take(listed("a"), listed("b"))
	s.sessions("the list, again")
	s.is("the list, again", "duplicates", s.Total.Duplicates-before, 2)
	s.take(listed("c")) // a lane without the session
	s.sessions("of no session that is known", "c STALE 1 offline")
}

// TestSessionsAreBounded: a lane remembers its latest sessions alone. One that it forgets without an end is told, where
// missing ends are.
func TestSessionsAreBounded(t *testing.T) {
	for _, after := range []time.Duration{0, time.Hour} {
		o := following()
		o.HeldMax, o.SessionStaleAfter = 0, after
		s := observe(t, o)
		for n := range processor.SessionsKept {
			s.take(of("a", n, start))
		}
		s.sessions("as many as are kept")
		s.take(of("a", 100, start))
		if after == 0 {
			s.sessions("one more")
			continue
		}
		s.sessions("one more", "a STALE 0 superseded")
		s.take(of("a", 0, done), of("a", 1, done))
		s.sessions("two ends", "a ENDED 0 -0 - /late", "a ENDED 1 0-0 0 forced,prev_unended/late")
	}
}

// TestSessionsWithoutTheirEvents: events of sessions are published while those that they follow from are filtered.
func TestSessionsWithoutTheirEvents(t *testing.T) {
	o := following()
	o.Types = bridge.TypeSet{session.TypeEnded: true}
	s := observe(t, o)
	s.take(of("a", 1, start), of("a", 1, done), of("b", 1, start))
	s.sleep(2 * time.Hour)
	s.wants("all", "a 1 ended ")
	s.is("all", "stale ones", s.Total.Filtered[session.TypeStale], 1)
}

// TestSwitchedOff: sessions that began or ended while nobody followed them are not told of wrongly afterwards.
func TestSwitchedOff(t *testing.T) {
	s := observe(t, following())
	s.take(of("a", 1, start), of("b", 1, start))
	s.o.SessionEvents = false
	s.restart()
	s.take(of("a", 1, done), of("c", 1, start))
	s.o.SessionEvents = true
	s.restart()
	s.sleep(2 * time.Hour)
	s.sessions("stale", "b STALE 1 timeout")
	s.take(of("c", 1, done), of("a", 2, start), of("a", 2, done))
	s.sessions("ended", "c ENDED 1 -7200 - /", "a ENDED 2 7200-7200 0 /")
}

// TestForgottenSessions: with its lane a session is forgotten, and a lane of sessions like any other.
func TestForgottenSessions(t *testing.T) {
	s := observe(t, following())
	s.Every = time.Hour
	s.take(of("a", 1, start), of("a", 1, done))
	s.sleep(processor.ForgetClosed + 2*time.Hour)
	s.is("idle", "lanes", s.Lanes(), 0)
	s.take(of("a", 2, start), of("a", 2, done))
	s.sessions("again", "a ENDED 1 0-0 0 /", fmt.Sprintf("a ENDED 2 %[1]d-%[1]d 0 /", 7*24*3600+7200))
}
