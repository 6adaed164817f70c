package dispatch

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"livebridge/bridge"
)

// Metrics are those of publishing, whoever publishes.
type Metrics struct {
	duration  prometheus.Histogram
	failures  *prometheus.CounterVec
	published *prometheus.CounterVec

	rejected, unavailable prometheus.Counter
	byKind                map[bridge.Kind]prometheus.Counter // read-only; resolved once, not for each event
}

// NewMetrics registers the metrics. It panics if they are registered already.
func NewMetrics(r prometheus.Registerer, available func() bool) *Metrics {
	auto := promauto.With(r)
	m := &Metrics{
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

// Count counts the outcome of one attempt to publish an event.
func (m *Metrics) Count(e *bridge.Event, err error) {
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

// Observe counts how long an attempt took, with its trace, if there is one that is recorded, as the exemplar.
func (m *Metrics) Observe(took time.Duration, t *bridge.Trace) {
	if t != nil && t.Sampled() {
		if e, able := m.duration.(prometheus.ExemplarObserver); able {
			e.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": t.ID()})
			return
		}
	}
	m.duration.Observe(took.Seconds())
}
