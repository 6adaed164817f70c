package dispatch

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// metrics is what the dispatcher tells Prometheus.
type metrics struct {
	seconds   prometheus.Histogram
	failures  *prometheus.CounterVec
	published *prometheus.CounterVec
}

func newMetrics() *metrics {
	return &metrics{
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "livebridge", Name: "publish_seconds", Help: "Time from publishing an event to the broker's answer.",
			Buckets: prometheus.ExponentialBuckets(0.0002, 2, 16),
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "livebridge", Name: "publish_failures_total", Help: "Tries that the broker did not take, by outcome.",
		}, []string{"outcome"}),
		published: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "livebridge", Name: "events_published_total", Help: "Events that the broker has acknowledged, by kind.",
		}, []string{"kind"}),
	}
}

func (m *metrics) register(r prometheus.Registerer) error {
	return errors.Join(r.Register(m.seconds), r.Register(m.failures), r.Register(m.published))
}

// done counts one answer of the publisher.
func (m *metrics) done(e *bridge.Event, err error, took time.Duration) {
	m.seconds.Observe(took.Seconds())
	switch {
	case err == nil:
		m.published.WithLabelValues(e.Lane.Kind.String()).Inc()
	case bridge.IsRejected(err):
		m.failures.WithLabelValues("rejected").Inc()
	default:
		m.failures.WithLabelValues("unavailable").Inc()
	}
}
