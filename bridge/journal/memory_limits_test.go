package journal

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

// unsigned is a callback that has no session and no signature: it comes out at once, unless it is known.
func unsigned(name string) *bridge.Arrival {
	a := push(name, 0, bridge.PhaseNone)
	a.Signature = bridge.Signature{}
	return a
}

// knows fails unless the callback of each of these names repeats one that is remembered, or that of none.
func (s *observed) knows(when string, want bool, names ...string) {
	s.t.Helper()
	for _, name := range names {
		before := s.metric("callbacks_duplicate_total")
		s.take(unsigned(name))
		if known := s.metric("callbacks_duplicate_total") > before; known != want {
			s.t.Errorf("%s: %s is known: %v", when, name, known)
		}
	}
}

// at waits until so much time has passed since the bubble began, and a housekeeping is over.
func at(since time.Duration) {
	time.Sleep(time.Until(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(since)))
	synctest.Wait()
}

// withRestarts runs a test in a bubble of its own, with steps that restart the journal and with steps that do not.
func withRestarts(t *testing.T, o func() Options, test func(s *observed, between func())) {
	for _, restarts := range []bool{false, true} {
		t.Run(fmt.Sprintf("restarts %v", restarts), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := observe(t, o())
				test(s, func() {
					if restarts {
						s.restart()
						s.knows("restarted", false, fmt.Sprint("restarted ", time.Now())) // has it read what was seen before
					}
				})
			})
		})
	}
}

// forHours are the options of a journal that remembers identities for an hour.
func forAnHour() Options {
	o := memory()
	o.DedupeWindow = time.Hour
	return o
}

// TestIdentityIsKnownForTheWholeWindow: the first and the last one of a part of DEDUPE_WINDOW are both known for all of
// it, and forgotten with the next second.
func TestIdentityIsKnownForTheWholeWindow(t *testing.T) {
	withRestarts(t, forAnHour, func(s *observed, between func()) {
		s.take(unsigned("first"))
		at(10*time.Minute - time.Second)
		s.take(unsigned("last"))
		at(10 * time.Minute)
		s.take(unsigned("next"))
		between()
		at(70*time.Minute - time.Second)
		s.knows("for the whole window", true, "first", "last", "next")
		at(70 * time.Minute)
		s.knows("when it is over", false, "first", "last")
		s.knows("of the next part", true, "next")
		between()
		at(70*time.Minute + time.Second)
		s.knows("when that is over", false, "next")
		s.counts("in its time", "dedupe_evicted_total", 0)
	})
}

// TestIdentityIsForgottenUnderTraffic: however many others come all the time, an identity is known for DEDUPE_WINDOW
// and at most a sixth of it longer.
func TestIdentityIsForgottenUnderTraffic(t *testing.T) {
	withRestarts(t, forAnHour, func(s *observed, between func()) {
		s.take(unsigned("a"))
		for minute := range 70 {
			at(time.Duration(minute) * time.Minute)
			s.take(unsigned(fmt.Sprint("other", minute)))
			if minute%5 == 4 {
				between()
			}
			if minute == 60 {
				s.knows("for the whole window", true, "a")
			}
		}
		at(70*time.Minute + time.Second)
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
			synctest.Test(t, func(t *testing.T) {
				o := memory()
				o.DedupeMax = c.limit
				s := observe(t, o)
				for i := range c.n {
					s.take(unsigned(fmt.Sprint(i)))
				}
				time.Sleep(2 * housekeepingInterval)
				synctest.Wait()
				s.counts("at its limit", "dedupe_evicted_total", c.early)
				if i, err := s.Inspect(); err != nil || i.Identities != c.n-c.early {
					t.Errorf("%d identities, %v", i.Identities, err)
				}
				s.restart()
				s.knows("of what is left", true, fmt.Sprint(c.early), fmt.Sprint(c.n-1))
				if c.early > 0 {
					s.knows("of what went", false, fmt.Sprint(c.early-1))
				}
			})
		})
	}
}

// tampers fails unless another event under a signature is taken for an abuse of it, or is not.
func (s *observed) tampers(when string, want bool, a *bridge.Arrival) {
	s.t.Helper()
	before := s.metric("callbacks_quarantined_total", "tampered")
	s.take(a)
	if abuse := s.metric("callbacks_quarantined_total", "tampered") > before; abuse != want {
		s.t.Errorf("%s: %s is an abuse: %v", when, a.Event.Lane.Stream, abuse)
	}
}

// TestSignaturesGoOneByOne: a signature is known until it expires, and not for long after that, whatever others there
// are.
func TestSignaturesGoOneByOne(t *testing.T) {
	const minute = time.Minute
	begin := bridge.MillisOf(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	// over is another event under the signature that expires in the given minute.
	over := func(expires int, stream string) *bridge.Arrival {
		a := push(stream, 9e11, bridge.PhasePublish)
		a.Signature = bridge.Signature{Sum: [16]byte{byte(expires)}, Expires: begin + bridge.Millis(expires)*60_000, Strict: true}
		return a
	}
	withRestarts(t, unpublished, func(s *observed, between func()) {
		s.take(over(5, "a"), over(15, "b"), over(25, "c"), over(29, "d"))
		between()
		at(10*minute - time.Second)
		s.tampers("in its period", true, over(5, "a1"))
		at(10*minute + time.Second)
		s.tampers("after it", false, over(5, "a2"))
		s.tampers("before the next", true, over(15, "b1"))
		between()
		at(20*minute - time.Second)
		s.tampers("in the next", true, over(15, "b2"))
		at(20*minute + time.Second)
		s.tampers("after the next", false, over(15, "b3"))
		s.tampers("in the third", true, over(25, "c1"))
		between()
		s.tampers("in the third", true, over(29, "d1"))
		at(30*minute + time.Second)
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
	withRestarts(t, unpublished, func(s *observed, between func()) {
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

// wall is a wall clock that stands still and that a test moves.
type wall struct{ ahead atomic.Int64 }

func (w *wall) now() time.Time {
	return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(w.ahead.Load()))
}

// recording is a callback that comes out at once, in its own lane.
func recording(stream string, n int) *bridge.Arrival {
	a := push(stream, bridge.Millis(n), bridge.PhaseDone)
	a.Event.Lane.Kind, a.Event.Phase, a.Event.Session, a.Event.Type = bridge.KindRecord, bridge.PhaseNone, 0, "com.huaweicloud.live.record.start"
	a.Signature = bridge.Signature{}
	return a
}

// lanesAre fails unless so many lanes are remembered once the journal has had time to forget.
func (s *observed) lanesAre(when string, want uint64) {
	s.t.Helper()
	time.Sleep(6 * housekeepingInterval)
	synctest.Wait()
	if i, err := s.Inspect(); err != nil || i.Lanes != want {
		s.t.Errorf("%s: %d lanes are remembered, %v; want %d", when, i.Lanes, err, want)
	}
}
