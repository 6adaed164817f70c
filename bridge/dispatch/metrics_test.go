package dispatch

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge"
)

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{}
		failed := false
		p.answer = func(e *bridge.Event) error {
			switch {
			case e.Lane == lane(1):
				return errLarge
			case e.Lane == lane(2) && !failed:
				failed = true
				return errAway
			}
			return nil
		}
		h := run(t, p, Options{})
		h.outbox.add(events(3, 1)...)
		h.drain(time.Minute)
		for name, want := range map[string]float64{
			"livebridge_events_published_total stream": 2, "livebridge_events_published_total record": 0,
			"livebridge_publish_failures_total rejected": 1, "livebridge_publish_failures_total unavailable": 1,
			"livebridge_publish_duration_seconds": 4, "livebridge_broker_available": 1,
		} {
			if got, found := gathered(t, h.registry)[name]; !found || got != want {
				t.Errorf("%s is %v (%v), want %v", name, got, found, want)
			}
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("metrics were registered twice")
				}
			}()
			New(h.outbox, p, Options{}, zap.NewNop(), h.registry)
		}()
	})
}

// gathered returns counters by name and label, gauges by name, and the number of observations of histograms by name.
func gathered(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			switch {
			case m.GetHistogram() != nil:
				out[f.GetName()] = float64(m.GetHistogram().GetSampleCount())
			case m.GetGauge() != nil:
				out[f.GetName()] = m.GetGauge().GetValue()
			default:
				out[f.GetName()+" "+m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	return out
}

// TestBrokerAvailable: the gauge is 1 from the start, 0 in an outage, and 1 again after it; notices do not count.
func TestBrokerAvailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{answer: refuseNotices}
		h := run(t, p, Options{})
		expect := func(when string, want float64) {
			if got, found := gathered(t, h.registry)["livebridge_broker_available"]; !found || got != want {
				t.Errorf("%s: %v (%v), want %v", when, got, found, want)
			}
		}
		expect("at the start", 1)
		h.outbox.add(notices(2)...)
		time.Sleep(time.Minute)
		expect("while notices fail", 1)
		p.locked(func() { p.answer = func(*bridge.Event) error { return errAway } })
		h.outbox.add(events(1, 1)...)
		time.Sleep(time.Minute)
		expect("in an outage", 0)
		p.locked(func() { p.answer = nil })
		time.Sleep(time.Minute)
		expect("after the outage", 1)
		h.end()
	})
}
