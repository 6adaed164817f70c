package processor_test

import (
	"fmt"
	"testing"
	"time"

	"livebridge/bridge"
)

// TestLaneHoldsSoMany: HELD_PER_LANE events wait in a lane and no more; what is too much is the smallest, whichever
// came last, and the others keep their deadlines. A restart changes nothing.
func TestLaneHoldsSoMany(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		t.Run(fmt.Sprintf("restarts %v", restarts), func(t *testing.T) {
			o := defaults()
			o.Limits.PerLane = 2
			s := observe(t, o)
			for _, session := range []int{3, 2} {
				s.take(ended("a", session))
				s.sleep(time.Second)
			}
			s.wants("exactly full")
			s.holds("exactly full", 2)
			if restarts {
				s.restart()
				s.holds("restarted", 2)
			}
			s.take(ended("a", 5), ended("b", 1))
			s.wants("one more", "a 1 publish_done forced,start_unseen")
			s.take(ended("a", 4))
			s.wants("and one more", "a 2 publish_done forced,start_unseen")
			s.holds("and one more", 3)
			s.is("and one more", "forced", s.Total.Marks["forced"], 2)
			if restarts {
				s.restart()
			}
			s.sleep(o.Limits.HoldDone - 2*time.Second)
			s.wants("when the first of them would have ended")
			s.sleep(2 * time.Second)
			s.wants(
				"when the others end",
				"b 1 publish_done start_unseen",
				"a 3 publish_done start_unseen",
				"a 4 publish_done start_unseen",
			)
			s.holds("at the end", 0)
		})
	}
}

// TestAllLanesHoldSoMany: beyond HELD_MAX the lane whose hold ends first lets its smallest event go; of holds that end
// together the one with the smallest key.
func TestAllLanesHoldSoMany(t *testing.T) {
	o := defaults()
	o.HeldMax = 2
	s := observe(t, o)
	s.take(ended("a", 3), ended("b", 1))
	s.wants("exactly full")
	s.holds("exactly full", 2)
	s.take(ended("c", 2))
	s.wants("one more", "b 1 publish_done forced,start_unseen")
	s.take(ended("d", 9))
	s.wants("and one more", "c 1 publish_done forced,start_unseen")
	s.sleep(time.Second)
	s.take(ended("e", 0))
	s.wants("the deadline before the key", "a 1 publish_done forced,start_unseen")
	s.holds("full", 2)
	s.is("full", "holds", s.Total.Holds, 5)
	s.sleep(o.Limits.HoldDone - time.Second)
	s.wants("the first deadline", "d 1 publish_done start_unseen")
}

// TestFewerAreHeldAfterARestart: a smaller HELD_MAX lets go at once what is too much, the nearest deadline first.
func TestFewerAreHeldAfterARestart(t *testing.T) {
	for limit, want := range []string{"b c a d", "b c a", "b c", "b", ""} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			s := observe(t, defaults())
			for i, stream := range []string{"b", "c", "a", "d"} {
				s.take(ended(stream, 9-i))
				s.sleep(time.Second)
			}
			s.o.HeldMax = limit
			s.restart()
			got := ""
			for _, e := range s.out() {
				if got != "" {
					got += " "
				}
				got += e.Lane.Stream
			}
			if got != want {
				t.Errorf("%q are let go, want %q", got, want)
			}
			s.holds("restarted", limit)
			var i bridge.JournalStats
			if s.Count(&i); i.Held.Entries != uint64(limit) || i.LanesHeld != limit {
				t.Errorf("%+v", i)
			}
		})
	}
}

// TestNearestDeadlineOfALane: a lane's holds end with the one whose deadline is nearest, wherever its key is among
// them; what lies before it goes first.
func TestNearestDeadlineOfALane(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		s := observe(t, defaults())
		for _, session := range []int{2, 1, 3} {
			s.take(ended("a", session))
			s.sleep(time.Second)
		}
		if restarts {
			s.restart()
		}
		s.sleep(s.o.Limits.HoldDone - 3*time.Second - time.Millisecond)
		s.wants("before the first deadline")
		s.sleep(time.Millisecond)
		s.wants("at the first deadline", "a 1 publish_done forced,start_unseen", "a 2 publish_done start_unseen")
		s.sleep(2*time.Second - time.Millisecond)
		s.wants("before the last deadline")
		s.sleep(time.Millisecond)
		s.wants("at the last deadline", "a 3 publish_done start_unseen")
	}
}

// TestHoldsThatEndTogether: of lanes whose holds end at the same instant the one that holds the smallest key comes
// first, also where it holds others that end then.
func TestHoldsThatEndTogether(t *testing.T) {
	o := defaults()
	o.HeldMax = 3
	s := observe(t, o)
	s.take(ended("b", 5), ended("a", 9), ended("a", 1), ended("c", 7))
	s.wants("one too many", "a 1 publish_done forced,start_unseen")
	s.sleep(o.Limits.HoldDone)
	s.wants(
		"at their deadline",
		"b 1 publish_done start_unseen",
		"c 1 publish_done start_unseen",
		"a 2 publish_done start_unseen",
	)
}
