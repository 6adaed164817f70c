package ingress

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// metrics is what the door tells Prometheus. No label holds the name of a stream.
type metrics struct {
	acceptedTotal, ignoredTotal, refusedTotal *prometheus.CounterVec
	seconds                                   *prometheus.HistogramVec
}

func newMetrics() *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "livebridge", Name: name, Help: help}, labels)
	}
	return &metrics{
		acceptedTotal: counter("callbacks_accepted_total", "Callbacks answered 200, repeats included.", "kind"),
		ignoredTotal:  counter("callbacks_ignored_total", "Callbacks answered 200 and left out by IGNORE_STREAMS.", "kind"),
		refusedTotal:  counter("callbacks_refused_total", "Callbacks not answered 200, by reason.", "kind", "reason"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "livebridge", Name: "callback_seconds", Help: "Time from a request's head to its answer.",
			Buckets: prometheus.ExponentialBuckets(0.0002, 2, 16),
		}, []string{"kind"}),
	}
}

func (m *metrics) register(r prometheus.Registerer) error {
	return errors.Join(r.Register(m.acceptedTotal), r.Register(m.ignoredTotal), r.Register(m.refusedTotal), r.Register(m.seconds))
}

func (m *metrics) accepted(k bridge.Kind) { m.acceptedTotal.WithLabelValues(k.String()).Inc() }

func (m *metrics) ignored(k bridge.Kind) { m.ignoredTotal.WithLabelValues(k.String()).Inc() }

func (m *metrics) refused(k bridge.Kind, reason string) {
	m.refusedTotal.WithLabelValues(k.String(), reason).Inc()
}

func (m *metrics) answered(k bridge.Kind, took time.Duration) {
	m.seconds.WithLabelValues(k.String()).Observe(took.Seconds())
}
