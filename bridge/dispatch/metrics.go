package dispatch

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// metrics is what the dispatcher tells Prometheus.
type metrics struct {
	duration  prometheus.Histogram
	failures  *prometheus.CounterVec
	published *prometheus.CounterVec

	rejected, unavailable prometheus.Counter
	byKind                map[bridge.Kind]prometheus.Counter // read only, so that no label is looked up for each event
}

func newMetrics() *metrics {
	m := &metrics{
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "livebridge", Name: "publish_duration_seconds", Help: "Time from publishing an event to the broker's answer.",
			Buckets: prometheus.ExponentialBuckets(0.0002, 2, 16),
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "livebridge", Name: "publish_failures_total", Help: "Tries that the broker did not take, by outcome.",
		}, []string{"outcome"}),
		published: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "livebridge", Name: "events_published_total", Help: "Events that the broker has acknowledged, by kind.",
		}, []string{"kind"}),
		byKind: make(map[bridge.Kind]prometheus.Counter),
	}
	m.rejected, m.unavailable = m.failures.WithLabelValues("rejected"), m.failures.WithLabelValues("unavailable")
	for _, k := range bridge.Kinds() {
		m.byKind[k] = m.published.WithLabelValues(k.String())
	}
	return m
}

func (m *metrics) register(r prometheus.Registerer) error {
	return errors.Join(r.Register(m.duration), r.Register(m.failures), r.Register(m.published))
}

// observe counts one answer of the publisher.
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
