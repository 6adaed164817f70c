package journal

import (
	"livebridge/bridge"
	"sync/atomic"
	"testing/synctest"
	"time"
)

// wall is a wall clock that stands still and that a test moves.
type wall struct{ ahead atomic.Int64 }

func (w *wall) now() time.Time {
	return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(w.ahead.Load()))
}

// recording is a callback that comes out at once, in its own lane.
func recording(stream string, n int) *bridge.Arrival {
	a := push(stream, bridge.Millis(n), bridge.PhaseDone)
	a.Event.Lane.Kind, a.Event.Phase, a.Event.Session, a.Event.Type = bridge.KindRecord, bridge.PhaseNone, 0,
		"com.huaweicloud.live.record.start"
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

// ended is the end of a session of a stream whose start has not come: it is held.
func ended(stream string, session int) *bridge.Arrival {
	return push(stream, 9e11+bridge.Millis(session), bridge.PhaseDone)
}

// must drops the error of a call that is checked by what it returns.
func must(outcomes []bridge.Outcome, err error) []bridge.Outcome {
	if err != nil {
		panic(err)
	}
	return outcomes
}

// numbersOf returns the number of the entry in quarantine at this position.
func numbersOf(s *observed, i int) []uint64 {
	return []uint64{s.all(bridge.QuarantineQueue)[i].Number}
}

func purge(s *observed, i int) { must(s.Purge(bridge.QuarantineQueue, numbersOf(s, i))) }
