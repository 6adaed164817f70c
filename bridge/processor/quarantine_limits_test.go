package processor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// quarantineAtOnce is how many entries the processor lets go at a time.
const quarantineAtOnce = 1024

// TestQuarantineDropsTheOldest: beyond QUARANTINE_MAX the oldest entry of the most frequent reason goes, of several
// such reasons the first in the alphabet; it is counted, and a restart changes nothing.
func TestQuarantineDropsTheOldest(t *testing.T) {
	const (
		expired  = bridge.ReasonExpired
		tampered = bridge.ReasonTampered
		unknown  = bridge.ReasonUnknownEvent
	)
	type step struct {
		reason  bridge.Reason
		add     string
		left    string
		dropped int
	}
	for name, steps := range map[string][]step{
		"exactly full":      {{expired, "a b c d", "a b c d", 0}},
		"one more":          {{expired, "a b c d e", "b c d e", 1}},
		"three times over":  {{expired, "a b c d e f g h i j k l", "i j k l", 8}},
		"the rare reason":   {{tampered, "a", "a", 0}, {expired, "b c d e f g", "a e f g", 3}},
		"in between":        {{expired, "a b", "a b", 0}, {tampered, "c", "a b c", 0}, {expired, "d e f", "c d e f", 2}},
		"the most frequent": {{expired, "a", "a", 0}, {tampered, "b c d", "a b c d", 0}, {unknown, "e", "a c d e", 1}},
		"the first of several": {{tampered, "a b", "a b", 0}, {expired, "c d", "a b c d", 0}, {unknown, "e", "a b d e", 1},
			{unknown, "f", "b d e f", 1}, {tampered, "g", "d e f g", 1}, {expired, "h", "e f g h", 1}},
		"another reason now": {{expired, "a b c", "a b c", 0}, {tampered, "d e f g", "b c f g", 3}},
	} {
		for _, restarts := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarts %v", name, restarts), func(t *testing.T) {
				o := defaults()
				o.QuarantineMax = 4
				s := observe(t, o)
				for _, step := range steps {
					before := s.Total.QuarantineEvicted
					s.take(suspects(step.reason, step.add)...)
					s.keeps("after "+step.add, bridge.QuarantineQueue, step.left)
					s.is("after "+step.add, "evicted", s.Total.QuarantineEvicted, before+step.dropped)
					if restarts {
						s.restart()
						s.keeps("restarted after "+step.add, bridge.QuarantineQueue, step.left)
					}
				}
			})
		}
	}
}

// TestQuarantineMadeSmaller: a smaller QUARANTINE_MAX takes effect with the next entry, which stays.
func TestQuarantineMadeSmaller(t *testing.T) {
	for limit, left := range []string{"", "f", "e f", "d e f"} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			s := observe(t, defaults())
			s.take(suspects(bridge.ReasonExpired, "a b c d e")...)
			s.o.QuarantineMax = limit
			s.restart()
			s.keeps("restarted", bridge.QuarantineQueue, "a b c d e")
			s.take(suspects(bridge.ReasonExpired, "f")...)
			s.keeps("with the next", bridge.QuarantineQueue, left)
			s.is("with the next", "evicted", s.Total.QuarantineEvicted, 6-limit)
			s.restart()
			s.keeps("restarted again", bridge.QuarantineQueue, left)
		})
	}
}

// TestWhatLeftTheQuarantineMayComeAgain: by a limit, by its age or by an operator; before that the same is a repeat.
func TestWhatLeftTheQuarantineMayComeAgain(t *testing.T) {
	for name, leave := range map[string]func(s *observed){
		"by number": func(s *observed) { s.take(suspects(bridge.ReasonExpired, "b c")...) },
		"by age":    func(s *observed) { s.sleep(s.o.QuarantineMaxAge + 2*time.Second) },
		"by purge":  func(s *observed) { s.command(processor.Purge, bridge.QuarantineQueue, s.number(0)) },
	} {
		t.Run(name, func(t *testing.T) {
			o := defaults()
			o.QuarantineMax, o.QuarantineMaxAge = 2, time.Hour
			s := observe(t, o)
			s.take(suspects(bridge.ReasonExpired, "a a")...)
			s.is("twice", "duplicates", s.Total.Duplicates, 1)
			s.restart()
			s.take(suspects(bridge.ReasonExpired, "a")...)
			s.is("restarted", "duplicates", s.Total.Duplicates, 2)
			s.keeps("restarted", bridge.QuarantineQueue, "a")
			s.is("restarted", "quarantined", s.Total.Quarantined[bridge.ReasonExpired], 1)
			leave(s)
			before := s.streams(bridge.QuarantineQueue)
			if strings.Contains(before, "a") {
				t.Fatalf("left are %q", before)
			}
			s.take(suspects(bridge.ReasonExpired, "a")...)
			if now := s.streams(bridge.QuarantineQueue); !strings.HasSuffix(now, "a") {
				t.Errorf("%q has become %q", before, now)
			}
			s.is("at the end", "duplicates", s.Total.Duplicates, 2)
		})
	}
}

// TestShareOfASignature: the first four entries under one signature are kept, whatever their reasons, and no further
// one, also after a restart. Others, and those without a signature, have nothing to do with it.
func TestShareOfASignature(t *testing.T) {
	o := defaults()
	o.PublishQuarantine = true
	s := observe(t, o)
	s.take(
		suspect("a", 1, bridge.ReasonExpired),
		suspect("b", 1, bridge.ReasonTampered),
		suspect("c", 1, bridge.ReasonExpired),
	)
	s.restart()
	s.take(
		suspect("d", 1, bridge.ReasonExpired),
		suspect("e", 1, bridge.ReasonExpired),
		suspect("f", 1, bridge.ReasonTampered),
	)
	s.keeps("six", bridge.QuarantineQueue, "a b c d")
	s.is("six", "evicted", s.Total.QuarantineEvicted, 2)
	s.is("six", "quarantined", s.Total.Quarantined[bridge.ReasonExpired], 3)
	s.take(suspect("a", 1, bridge.ReasonExpired)) // a repeat, not one too many
	s.is("a repeat", "duplicates", s.Total.Duplicates, 1)
	s.is("a repeat", "evicted", s.Total.QuarantineEvicted, 2)
	s.restart()
	s.take(suspect("g", 1, bridge.ReasonExpired))
	s.keeps("restarted", bridge.QuarantineQueue, "a b c d")
	s.is("restarted", "evicted", s.Total.QuarantineEvicted, 3)
	s.is("restarted", "quarantined", s.Total.Quarantined[bridge.ReasonExpired], 3)
	s.take(suspect("h", 2, bridge.ReasonExpired))
	for i := range 4 + 1 {
		s.take(suspect(fmt.Sprint("u", i), 0, bridge.ReasonExpired))
	}
	s.keeps("others", bridge.QuarantineQueue, "a b c d h u0 u1 u2 u3 u4")
	if notices := s.out(); len(notices) != 10 {
		t.Errorf("%d notices are published", len(notices))
	}
}

// TestShareOfASignatureIsGivenBack: an entry that leaves, however, makes room for one more of its signature, and for
// one alone: of two more the second one is kept only where the first has pushed another one out.
func TestShareOfASignatureIsGivenBack(t *testing.T) {
	four := []*bridge.Arrival{suspect("a", 1, bridge.ReasonTampered), suspect("b", 1, bridge.ReasonExpired),
		suspect("c", 1, bridge.ReasonExpired), suspect("d", 1, bridge.ReasonExpired)}
	more := []*bridge.Arrival{suspect("x", 1, bridge.ReasonExpired), suspect("y", 1, bridge.ReasonExpired)}
	for _, restarts := range []bool{false, true} {
		for name, c := range map[string]struct {
			leave func(s *observed)
			left  string
		}{
			"purged":   {func(s *observed) { purge(s, 1) }, "a c d x"},
			"released": {func(s *observed) { s.command(processor.Release, bridge.QuarantineQueue, s.number(2)) }, "a b d x"},
			"too many": {func(s *observed) { s.take(suspects(bridge.ReasonExpired, "p")...) }, "a p x y"},
		} {
			t.Run(fmt.Sprintf("%s, restarts %v", name, restarts), func(t *testing.T) {
				o := defaults()
				o.QuarantineMax = 4
				s := observe(t, o)
				s.take(four...)
				c.leave(s)
				if restarts {
					s.restart()
				}
				s.take(more...)
				s.keeps("at the end", bridge.QuarantineQueue, c.left)
			})
		}
	}
}

// number returns the number of the entry in quarantine at this position.
func (s *observed) number(i int) uint64 { return s.Entries(bridge.QuarantineQueue)[i].Number }

func purge(s *observed, i int) { s.command(processor.Purge, bridge.QuarantineQueue, s.number(i)) }

// TestQuarantineIsFullAfterAPurge: what an operator takes from the middle is not counted any more, and the oldest of
// the rest still goes first.
func TestQuarantineIsFullAfterAPurge(t *testing.T) {
	o := defaults()
	o.QuarantineMax = 4
	s := observe(t, o)
	s.take(suspects(bridge.ReasonExpired, "a b c d")...)
	purge(s, 2)
	s.keeps("purged", bridge.QuarantineQueue, "a b d")
	s.take(suspects(bridge.ReasonExpired, "e")...)
	s.keeps("full again", bridge.QuarantineQueue, "a b d e")
	s.is("full again", "evicted", s.Total.QuarantineEvicted, 0)
	purge(s, 0)
	purge(s, 2)
	s.restart()
	s.take(suspects(bridge.ReasonExpired, "f g h")...)
	s.keeps("over", bridge.QuarantineQueue, "d f g h")
	s.is("over", "evicted", s.Total.QuarantineEvicted, 1)
}

// TestAgeOfTheQuarantine: an entry is there for QUARANTINE_MAX_AGE and goes in the second after, whatever its reason; a
// restart does not make it younger. With 0 none goes.
func TestAgeOfTheQuarantine(t *testing.T) {
	o := defaults()
	o.QuarantineMaxAge = time.Hour
	s := observe(t, o)
	s.take(suspects(bridge.ReasonExpired, "a")...)
	s.take(suspects(bridge.ReasonTampered, "b")...)
	s.sleep(10 * time.Minute)
	s.take(suspects(bridge.ReasonExpired, "c")...)
	s.sleep(20 * time.Minute)
	s.restart()
	s.sleep(30 * time.Minute)
	s.keeps("as old as it may become", bridge.QuarantineQueue, "a b c")
	s.sleep(time.Second)
	s.keeps("older", bridge.QuarantineQueue, "c")
	s.is("older", "evicted", s.Total.QuarantineEvicted, 2)
	s.restart()
	s.keeps("restarted", bridge.QuarantineQueue, "c")
	s.o.QuarantineMaxAge = 0
	s.restart()
	s.sleep(2 * time.Hour)
	s.keeps("without an age", bridge.QuarantineQueue, "c")
	s.o.QuarantineMaxAge = 3 * time.Hour
	s.restart()
	s.sleep(time.Minute)
	s.keeps("with a greater age", bridge.QuarantineQueue, "c")
}

// TestManyGrowOldAtOnce: however many entries have grown old together, all go, and what is younger stays.
func TestManyGrowOldAtOnce(t *testing.T) {
	for _, n := range []int{1, quarantineAtOnce, quarantineAtOnce + 1, 2*quarantineAtOnce + 1} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			o := defaults()
			o.QuarantineMaxAge = time.Hour
			s := observe(t, o)
			for i := range n {
				s.take(suspect(fmt.Sprint("s", i), 0, bridge.ReasonExpired))
			}
			s.sleep(time.Hour - time.Minute)
			s.take(suspects(bridge.ReasonTampered, "young")...)
			s.sleep(2 * time.Minute)
			s.keeps("after all the time", bridge.QuarantineQueue, "young")
			s.is("after all the time", "evicted", s.Total.QuarantineEvicted, n)
			s.restart()
			s.keeps("restarted", bridge.QuarantineQueue, "young")
		})
	}
}
