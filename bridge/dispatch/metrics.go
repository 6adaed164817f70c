package dispatch

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// metrics are those of the dispatcher.
type metrics struct {
	duration  prometheus.Histogram
	failures  *prometheus.CounterVec
	published *prometheus.CounterVec
	available prometheus.GaugeFunc

	rejected, unavailable prometheus.Counter
	byKind                map[bridge.Kind]prometheus.Counter // read-only; resolved once, not for each event
}

func newMetrics(available func() bool) *metrics {
	m := &metrics{
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "livebridge", Name: "publish_duration_seconds",
			Help:    "Time from publishing an event to the broker's response.",
			Buckets: prometheus.ExponentialBuckets(0.0002, 2, 16),
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "livebridge", Name: "publish_failures_total", Help: "Failed attempts to publish, by outcome.",
		}, []string{"outcome"}),
		published: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "livebridge", Name: "events_published_total", Help: "Events acknowledged by the broker, by kind.",
		}, []string{"kind"}),
		available: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "livebridge", Name: "broker_available",
			Help: "0 while publishing events fails for all lanes; 1 otherwise.",
		}, func() float64 {
			if available() {
				return 1
			}
			return 0
		}),
		byKind: make(map[bridge.Kind]prometheus.Counter),
	}
	m.rejected, m.unavailable = m.failures.WithLabelValues("rejected"), m.failures.WithLabelValues("unavailable")
	for _, k := range bridge.EventKinds() {
		m.byKind[k] = m.published.WithLabelValues(k.String())
	}
	return m
}

func (m *metrics) register(r prometheus.Registerer) error {
	return errors.Join(r.Register(m.duration), r.Register(m.failures), r.Register(m.published), r.Register(m.available))
}

// observe counts the outcome of one attempt.
func (m *metrics) observe(e *bridge.Event, err error, took time.Duration) {
	m.duration.Observe(took.Seconds())
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
