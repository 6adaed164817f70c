package journal

import (
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

// TestTimesOfHolds: how long events are held is counted when they are let go, by whether what they waited for came; and
// since when the oldest is held is shown, also after a restart.
func TestTimesOfHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := unpublished()
		s := observe(t, o)
		s.counts("at the start", "held_oldest_age_seconds", 0)
		s.take(ended("a", 1))
		time.Sleep(2 * time.Second)
		s.take(ended("b", 2))
		time.Sleep(time.Second)
		s.counts("two are held", "held_oldest_age_seconds", 3)
		s.take(push("a", 9e11+1, bridge.PhasePublish))
		s.counts("one is held", "held_oldest_age_seconds", 1)
		s.durations("a came", "hold_duration_seconds", 1, 3, "ordered")
		s.durations("a came", "hold_duration_seconds", 0, 0, "given_up")
		s.restart()
		s.take(recording("c", 1))
		s.counts("restarted", "held_oldest_age_seconds", 1)
		time.Sleep(o.Limits.HoldDone)
		synctest.Wait()
		s.durations("b was given up", "hold_duration_seconds", 1, o.Limits.HoldDone.Seconds(), "given_up")
		s.counts("at the end", "held_oldest_age_seconds", 0)
	})
}

// TestTimesOfRedeliveries: the time between a repeat and the delivery before it is counted, for as many callbacks as
// are remembered.
func TestTimesOfRedeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := observe(t, unpublished())
		s.take(recording("a", 1))
		time.Sleep(5 * time.Second)
		s.take(recording("a", 1))
		time.Sleep(7 * time.Second)
		s.take(recording("a", 1), recording("b", 1))
		s.durations("repeats", "redelivery_interval_seconds", 2, 12)
	})
}

// durations fails unless a histogram, of this label value if any, has so many durations of so many seconds in all.
func (s *observed) durations(when, name string, count uint64, sum float64, labels ...string) {
	s.t.Helper()
	s.counts(when, name, count, labels...)
	families, err := s.metrics.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "livebridge_"+name && (len(labels) == 0 || m.GetLabel()[0].GetValue() == labels[0]) &&
				m.GetHistogram().GetSampleSum() != sum {
				s.t.Errorf("%s: %s %v: %v s in all, want %v", when, name, labels, m.GetHistogram().GetSampleSum(), sum)
			}
		}
	}
}
