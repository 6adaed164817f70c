package reconcile

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are those of a Reconciler.
type metrics struct {
	differences *prometheus.GaugeVec
	found, runs *prometheus.CounterVec
	last        prometheus.Gauge

	succeeded, failed prometheus.Counter // of runs
}

func newMetrics(r prometheus.Registerer) *metrics {
	made := promauto.With(r)
	m := &metrics{
		differences: made.NewGaugeVec(prometheus.GaugeOpts{Name: "livebridge_reconcile_differences",
			Help: "Streams that differ from the provider's list of online streams: missed (online, no session) or stale."},
			[]string{"problem"}),
		found: made.NewCounterVec(prometheus.CounterOpts{Name: "livebridge_reconcile_found_total",
			Help: "Differences that were found, each once: missed or stale."}, []string{"problem"}),
		runs: made.NewCounterVec(prometheus.CounterOpts{Name: "livebridge_reconcile_runs_total",
			Help: "Comparisons with the provider's list of online streams, by result."}, []string{"result"}),
		last: made.NewGauge(prometheus.GaugeOpts{Name: "livebridge_reconcile_last_success_timestamp_seconds",
			Help: "Unix time of the last comparison with the provider's list that succeeded; 0: none since the start."}),
	}
	m.succeeded, m.failed = m.runs.WithLabelValues("success"), m.runs.WithLabelValues("failure")
	for _, p := range []Problem{Missed, Stale} {
		m.differences.WithLabelValues(string(p))
		m.found.WithLabelValues(string(p))
	}
	return m
}

// set sets how many differences there are.
func (m *metrics) set(all []Difference) {
	n := make(map[Problem]int)
	for _, d := range all {
		n[d.Problem]++
	}
	for _, p := range []Problem{Missed, Stale} {
		m.differences.WithLabelValues(string(p)).Set(float64(n[p]))
	}
}
