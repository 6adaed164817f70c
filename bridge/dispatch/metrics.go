package dispatch

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"livebridge/bridge"
)

// metrics are those of the dispatcher.
type metrics struct {
	duration  prometheus.Histogram
	failures  *prometheus.CounterVec
	published *prometheus.CounterVec

	rejected, unavailable prometheus.Counter
	byKind                map[bridge.Kind]prometheus.Counter // read-only; resolved once, not for each event
}

// newMetrics registers the metrics. It panics if they are registered already.
func newMetrics(r prometheus.Registerer, available func() bool) *metrics {
	auto := promauto.With(r)
	m := &metrics{
		duration: auto.NewHistogram(prometheus.HistogramOpts{
			Namespace: "livebridge", Name: "publish_duration_seconds",
			Help:    "Time from publishing an event to the broker's response.",
			Buckets: prometheus.ExponentialBuckets(0.0002, 2, 16),
		}),
		failures: auto.NewCounterVec(prometheus.CounterOpts{
			Namespace: "livebridge", Name: "publish_failures_total", Help: "Failed attempts to publish, by outcome.",
		}, []string{"outcome"}),
		published: auto.NewCounterVec(prometheus.CounterOpts{
			Namespace: "livebridge", Name: "events_published_total", Help: "Events acknowledged by the broker, by kind.",
		}, []string{"kind"}),
		byKind: make(map[bridge.Kind]prometheus.Counter),
	}
	auto.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "livebridge", Name: "broker_available",
		Help: "0 while publishing events fails for all lanes; 1 otherwise.",
	}, func() float64 {
		if available() {
			return 1
		}
		return 0
	})
	m.rejected, m.unavailable = m.failures.WithLabelValues("rejected"), m.failures.WithLabelValues("unavailable")
	for _, k := range bridge.EventKinds() {
		m.byKind[k] = m.published.WithLabelValues(k.String())
	}
	return m
}

// count counts the outcome of one attempt.
func (m *metrics) count(e *bridge.Event, err error) {
	switch {
	case err == nil:
		if c := m.byKind[e.Lane.Kind]; c != nil {
			c.Inc()
		}
	case bridge.IsRejected(err):
		m.rejected.Inc()
	default:
		m.unavailable.Inc()
	}
}
