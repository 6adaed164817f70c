package journal

import (
	"fmt"
	"livebridge/bridge"
	"livebridge/bridge/processor"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestLaneIsForgottenInItsTime: one that is closed after 7 idle days, one that is open after 30, one that holds
// something not at all.
func TestLaneIsForgottenInItsTime(t *testing.T) {
	const day = 24 * time.Hour
	for _, restarts := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			o, w := memory(), &wall{}
			o.Wall, o.Limits.HoldDone = w.now, 1000*day
			s := observe(t, o)
			pass := func(days int64, more time.Duration) {
				w.ahead.Store(days*int64(day) + int64(more))
				if restarts {
					s.restart()
				}
			}
			session := bridge.MillisOf(w.now())
			s.take(
				push("closed", session, bridge.PhasePublish),
				push("closed", session, bridge.PhaseDone),
				recording("recorded", 1),
				push("open", session, bridge.PhasePublish),
				push("holds", session, bridge.PhaseDone),
			)
			s.out()
			pass(5, 0)
			s.take(recording("later", 1))
			s.out()
			pass(7, 0)
			s.lanesAre("after seven days", 5)
			pass(7, time.Millisecond)
			s.lanesAre("after more than seven", 3)
			pass(12, 0)
			s.lanesAre("seven after another", 3)
			pass(12, time.Millisecond)
			s.lanesAre("more than seven after another", 2)
			pass(30, 0)
			s.lanesAre("after thirty", 2)
			pass(30, time.Millisecond)
			s.lanesAre("after more than thirty", 1)
			pass(365, 0)
			s.lanesAre("after a year", 1)
		})
	}
}

// TestAllIdleLanesAreForgotten: however many there are, wherever the sweep is when their time has come, and again when
// they come back.
func TestAllIdleLanesAreForgotten(t *testing.T) {
	for _, n := range []int{1, sweepLanes - 1, sweepLanes, sweepLanes + 1, 2*sweepLanes + 1} {
		for _, rounds := range []int{0, 2} {
			t.Run(fmt.Sprintf("%d, %d s later", n, rounds), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o, w := memory(), &wall{}
					o.Wall = w.now
					s := observe(t, o)
					for round := 1; round <= 2; round++ {
						s.takeTogether(n, func(i int) *bridge.Arrival { return recording(fmt.Sprint("s", i), round) })
						s.out()
						time.Sleep(time.Duration(rounds) * housekeepingInterval)
						w.ahead.Add(int64(processor.ForgetClosed + time.Minute))
						s.lanesAre(fmt.Sprint("round ", round), 0)
					}
				})
			})
		}
	}
}

// TestIdleLanesBehindOthersAreForgotten: the sweep goes on behind lanes that stay, wherever those lie.
func TestIdleLanesBehindOthersAreForgotten(t *testing.T) {
	for _, stay := range []int{1, sweepLanes, sweepLanes + 1, 2 * sweepLanes} {
		t.Run(fmt.Sprint(stay), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, w := memory(), &wall{}
				o.Wall = w.now
				s := observe(t, o)
				s.take(recording("0", 1), recording("m", 1), recording("z", 1))
				s.out()
				w.ahead.Store(int64(processor.ForgetClosed))
				s.takeTogether(stay, func(i int) *bridge.Arrival { return recording(fmt.Sprint([]string{"a", "p"}[i%2], i), 1) })
				s.out()
				w.ahead.Add(int64(time.Minute))
				s.lanesAre("a week later", uint64(stay))
			})
		})
	}
}

// TestForgottenLeavesTheDisk: the tables have no more than what is remembered.
func TestForgottenLeavesTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, w := unpublished(), &wall{}
		o.Wall, o.DedupeMax, o.QuarantineMax = w.now, 12, 2
		s := observe(t, o)
		tables := func(when string, identities, signatures, index, quarantine, lanes uint64) {
			t.Helper()
			time.Sleep(4 * housekeepingInterval)
			synctest.Wait()
			found, err := s.store.Tables()
			got := []uint64{found.Identities.Entries, found.Signatures.Entries, found.Index.Entries, found.Quarantine.Entries,
				found.Lanes.Entries, found.Rows.Entries, found.EventBatches.Entries}
			if want := []uint64{identities, signatures, index, quarantine, lanes, 0, 0}; err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: the tables have %d keys, want %d: %v", when, got, want, err)
			}
		}
		for i := range 17 {
			a := signed(recording(fmt.Sprint("s", i), 1), byte(i+1), 1)
			a.Signature.Expires = bridge.MillisOf(w.now()) + 60_000
			s.take(a)
		}
		s.take(suspects(bridge.ReasonExpired, "a b c d")...)
		s.out()
		tables("beyond the limits", 11, 17, 2, 2, 17)
		w.ahead.Store(int64(30 * 24 * time.Hour))
		tables("in time", 0, 0, 2, 2, 0)
		w.ahead.Store(int64(31 * 24 * time.Hour))
		tables("in more time", 0, 0, 0, 0, 0)
	})
}

// life is a lane with so many events, which come half a week after those of the others or with them.
type life struct {
	stream string
	events int
	later  bool
}

// TestFloorOnlyRises: a lane that is new, or comes back, goes on above the greatest sequence of all that were
// forgotten, whichever of them went first, together or one by one, also after a restart.
func TestFloorOnlyRises(t *testing.T) {
	for name, lives := range map[string][]life{
		"the greatest first":            {{"a", 5, false}, {"b", 1, false}},
		"the greatest last":             {{"a", 1, false}, {"b", 5, false}},
		"the greatest in between":       {{"a", 1, false}, {"b", 5, false}, {"c", 2, false}},
		"the greatest in a sweep ahead": {{"a", 5, false}, {"b", 1, true}},
		"the greatest in a later sweep": {{"a", 1, false}, {"b", 5, true}},
	} {
		for _, restarts := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarts %v", name, restarts), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o, w := memory(), &wall{}
					o.Wall = w.now
					s := observe(t, o)
					base, later := s.live(lives, false), uint64(0)
					w.ahead.Add(int64(processor.ForgetClosed / 2))
					if s.live(lives, true) != 0 {
						later = 1
					}
					for _, want := range []uint64{later, 0} {
						w.ahead.Add(int64(processor.ForgetClosed/2 + time.Minute))
						s.lanesAre("half a week later", want)
						if restarts {
							s.restart()
						}
					}
					for _, stream := range []string{"new", "a"} {
						s.take(recording(stream, 100))
						if e := s.out()[0]; e.Sequence-base != 5 {
							t.Errorf("%s begins %d above the first of all", stream, e.Sequence-base)
						}
					}
				})
			})
		}
	}
}

// live has the lanes emit their events and returns the first sequence of them, or 0 when there is none.
func (s *observed) live(lives []life, later bool) (first uint64) {
	for _, l := range lives {
		for i := range l.events {
			if l.later == later {
				s.take(recording(l.stream, i))
			}
		}
	}
	for _, e := range s.out() {
		if first == 0 || e.Sequence < first {
			first = e.Sequence
		}
	}
	return first
}
