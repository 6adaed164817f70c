package processor_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// reject has the broker refuse an event that was emitted.
func (s *observed) reject(e *bridge.Event) {
	s.t.Helper()
	s.must(s.Do(processor.Input{Action: processor.Reject,
		Rejected: processor.Rejection{Event: e, Reason: bridge.RejectionTooLarge, Detail: "2 MB"}}))
}

// TestReleaseAndPurge: an entry that is released comes out once more, in its lane, as a replay, and its identity is one
// that was seen; one that is purged is gone. A number that names nothing, or the same entry twice, says why not.
func TestReleaseAndPurge(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		s := observe(t, defaults())
		unreadable := suspect("c", 3, bridge.ReasonMalformed)
		unreadable.Event.Lane = bridge.Lane{Kind: bridge.KindRTCRecord}
		s.take(suspect("a", 1, bridge.ReasonExpired), suspect("b", 2, bridge.ReasonExpired), unreadable)
		if restarts {
			s.restart()
		}
		a, b, c := s.number(0), s.number(1), s.number(2)
		if done := s.command(processor.Release, bridge.QuarantineQueue, a, a, 77, c); !slices.Equal(done, []uint64{a}) {
			t.Errorf("released are %v", done)
		}
		problems := []string{"", "no such entry", "no such entry", "no lane to go to"}
		for i, o := range s.Outcomes {
			if !strings.Contains(o.Problem, problems[i]) || (o.Problem == "") != (o.Emitted != nil) {
				t.Errorf("%+v, want %q", o, problems[i])
			}
		}
		s.wants("released", "a 1 publish replayed")
		s.is("released", "entries", len(s.Entries(bridge.QuarantineQueue)), 2)
		if done := s.command(processor.Purge, bridge.QuarantineQueue, b, c, b); !slices.Equal(done, []uint64{b, c}) {
			t.Errorf("purged are %v", done)
		}
		s.keeps("purged", bridge.QuarantineQueue, "")
		again := push("a", 1.7e12, bridge.PhasePublish)
		before := s.Total.Duplicates
		s.take(again)
		s.is("what was released", "duplicates", s.Total.Duplicates-before, 1)
	}
}

// TestDeadLetters: an event that the broker refuses is kept with the reason, up to DEAD_LETTERS_MAX; released, it comes
// out with the next sequence of its lane, and makes room for another.
func TestDeadLetters(t *testing.T) {
	o := defaults()
	o.DeadLettersMax = 2
	s := observe(t, o)
	s.take(unsigned("a"), unsigned("b"), unsigned("c"))
	for _, e := range s.out() {
		s.reject(e)
	}
	s.keeps("full", bridge.DeadLetterQueue, "a b")
	s.restart()
	first := s.Entries(bridge.DeadLetterQueue)[0]
	if first.Reason != string(bridge.RejectionTooLarge) || first.Detail != "2 MB" ||
		first.Event.Marks != bridge.MarkUnsequenced {
		t.Errorf("it is %+v", first)
	}
	if done := s.command(processor.Release, bridge.DeadLetterQueue, first.Number, first.Number); len(done) != 1 {
		t.Errorf("released are %v", done)
	}
	out := s.out()
	if len(out) != 1 || out[0].ID != first.Event.ID || out[0].Sequence != first.Event.Sequence+1 ||
		out[0].Marks != bridge.MarkReplayed {
		t.Errorf("out come %v", out)
	}
	s.reject(out[0])
	s.keeps("full again", bridge.DeadLetterQueue, "b a")
	s.command(processor.Purge, bridge.DeadLetterQueue, s.Entries(bridge.DeadLetterQueue)[0].Number, 1<<60)
	s.keeps("purged", bridge.DeadLetterQueue, "a")
}

// TestReplay: events come out once more with the next sequences of their lanes and change nothing that is held there.
func TestReplay(t *testing.T) {
	s := observe(t, defaults())
	s.take(push("a", 1.7e12, bridge.PhasePublish), ended("a", 5), unsigned("b"))
	var copies []*bridge.Event
	for _, e := range s.out() {
		c := *e
		copies = append(copies, &c)
	}
	s.must(s.Do(processor.Input{Action: processor.Replay, Events: copies}))
	for _, e := range s.Emitted[:2] {
		s.first[e.Lane] = e.Sequence
	}
	s.wants("replayed", "a 2 publish replayed", "b 2  replayed")
	s.holds("still", 1)
	s.sleep(10 * time.Second)
	s.wants("in its time", "a 3 publish_done start_unseen")
}

// TestNotice: a callback in quarantine is told of on the lane of its kind, where that is asked for.
func TestNotice(t *testing.T) {
	for _, publish := range []bool{false, true} {
		o := defaults()
		o.PublishQuarantine = publish
		s := observe(t, o)
		for i := range 3 {
			s.take(suspect(fmt.Sprint("s", i), i+1, bridge.ReasonExpired))
		}
		out := s.out()
		if !publish {
			s.is("without notices", "events", len(out), 0)
			continue
		}
		s.is("with notices", "events", len(out), 3)
		for i, e := range out {
			want := fmt.Sprintf(`{"body":{"event":"publish","publish_timestamp":1700000000000,"stream":"s%d"},"kind":"stream",`+
				`"lane":"push.example.com/live/s%d","reason":"expired","received":"2026-01-01T00:00:00.000Z"}`, i, i)
			if string(e.Data) != want || e.Type != bridge.TypeQuarantined || e.Lane != (bridge.Lane{Kind: bridge.KindStream}) ||
				e.Sequence != out[0].Sequence+uint64(i) || e.Marks != 0 {
				t.Errorf("the notice is %+v with %s", e, e.Data)
			}
		}
	}
}
