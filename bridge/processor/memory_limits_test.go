package processor_test

import (
	"fmt"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// withRestarts runs a test in a bubble of its own, with steps that restart the journal and with steps that do not.
func withRestarts(t *testing.T, o func() processor.Options, test func(s *observed, between func())) {
	for _, restarts := range []bool{false, true} {
		t.Run(fmt.Sprintf("restarts %v", restarts), func(t *testing.T) {
			s := observe(t, o())
			test(s, func() {
				if restarts {
					s.restart()
				}
			})
		})
	}
}

// forAnHour are the options of a journal that remembers identities for an hour.
func forAnHour() processor.Options {
	o := defaults()
	o.DedupeWindow = time.Hour
	return o
}

// TestIdentityIsKnownForTheWholeWindow: the first and the last one of a part of DEDUPE_WINDOW are both known for all of
// it, and forgotten with the next second.
func TestIdentityIsKnownForTheWholeWindow(t *testing.T) {
	withRestarts(t, forAnHour, func(s *observed, between func()) {
		s.take(unsigned("first"))
		s.at(10*time.Minute - time.Second)
		s.take(unsigned("last"))
		s.at(10 * time.Minute)
		s.take(unsigned("next"))
		between()
		s.at(70*time.Minute - time.Second)
		s.knows("for the whole window", true, "first", "last", "next")
		s.at(70 * time.Minute)
		s.knows("when it is over", false, "first", "last")
		s.knows("of the next part", true, "next")
		between()
		s.at(70*time.Minute + time.Second)
		s.knows("when that is over", false, "next")
		s.is("in its time", "evicted", int(s.Total.IdentitiesEvicted), 0)
	})
}

// TestIdentityIsForgottenUnderTraffic: however many others come all the time, an identity is known for DEDUPE_WINDOW
// and at most a sixth of it longer.
func TestIdentityIsForgottenUnderTraffic(t *testing.T) {
	withRestarts(t, forAnHour, func(s *observed, between func()) {
		s.take(unsigned("a"))
		for minute := range 70 {
			s.at(time.Duration(minute) * time.Minute)
			s.take(unsigned(fmt.Sprint("other", minute)))
			if minute%5 == 4 {
				between()
			}
			if minute == 60 {
				s.knows("for the whole window", true, "a")
			}
		}
		s.at(70*time.Minute + time.Second)
		s.knows("a sixth later", false, "a")
		s.knows("of the window", true, "other11", "other69")
	})
}

// TestOldestIdentitiesGoFirst: beyond DEDUPE_MAX the oldest sixth goes early, whole, and is counted; no other.
func TestOldestIdentitiesGoFirst(t *testing.T) {
	for _, c := range []struct{ limit, n, early uint64 }{
		{60, 60, 0}, {60, 61, 10}, {60, 70, 10}, {60, 71, 20}, {60, 123, 70}, {6, 7, 1}, {3, 4, 1}, {65, 66, 10},
	} {
		t.Run(fmt.Sprintf("%d of %d", c.n, c.limit), func(t *testing.T) {
			o := defaults()
			o.DedupeMax = c.limit
			s := observe(t, o)
			for i := range c.n {
				s.take(unsigned(fmt.Sprint(i)))
			}
			s.sleep(2 * time.Second)
			s.is("at its limit", "evicted", int(s.Total.IdentitiesEvicted), int(c.early))
			var i bridge.JournalStats
			if s.Count(&i); i.Identities != c.n-c.early || s.Names(false) != int(c.n-c.early) {
				t.Errorf("%d identities are counted, %d known", i.Identities, s.Names(false))
			}
			s.restart()
			s.knows("of what is left", true, fmt.Sprint(c.early), fmt.Sprint(c.n-1))
			if c.early > 0 {
				s.knows("of what went", false, fmt.Sprint(c.early-1))
			}
		})
	}
}

// TestSignaturesGoOneByOne: a signature is known until it expires, and not for long after that, whatever others there
// are.
func TestSignaturesGoOneByOne(t *testing.T) {
	const minute = time.Minute
	first := bridge.MillisOf(begin)
	// over is another event under the signature that expires in the given minute.
	over := func(expires int, stream string) *bridge.Arrival {
		a := push(stream, 1.7e12, bridge.PhasePublish)
		a.Signature = bridge.Signature{
			Sum:     [16]byte{byte(expires)},
			Expires: first + bridge.Millis(expires)*60_000,
			Strict:  true,
		}
		return a
	}
	withRestarts(t, defaults, func(s *observed, between func()) {
		s.take(over(5, "a"), over(15, "b"), over(25, "c"), over(29, "d"))
		between()
		s.at(10*minute - time.Second)
		s.tampers("in its period", true, over(5, "a1"))
		s.at(10*minute + time.Second)
		s.tampers("after it", false, over(5, "a2"))
		s.tampers("before the next", true, over(15, "b1"))
		between()
		s.at(20*minute - time.Second)
		s.tampers("in the next", true, over(15, "b2"))
		s.at(20*minute + time.Second)
		s.tampers("after the next", false, over(15, "b3"))
		s.tampers("in the third", true, over(25, "c1"))
		between()
		s.tampers("in the third", true, over(29, "d1"))
		s.at(30*minute + time.Second)
		s.tampers("after the third", false, over(25, "c2"))
		s.tampers("after the third", false, over(29, "d2"))
	})
}

// TestSignatureThatMayRepeat: under a signature that is not strict other events are taken, and none over other signed
// fields.
func TestSignatureThatMayRepeat(t *testing.T) {
	over := func(stream string, fields byte) *bridge.Arrival {
		a := signed(recording(stream, 1), 1, fields)
		a.Signature.Strict = false
		return a
	}
	withRestarts(t, defaults, func(s *observed, between func()) {
		s.take(over("a", 1))
		between()
		s.tampers("other members", false, over("b", 1))
		s.tampers("other signed fields", true, over("c", 2))
		for _, e := range s.out() {
			if e.Lane.Stream == "c" {
				t.Error("it comes out all the same")
			}
		}
	})
}
