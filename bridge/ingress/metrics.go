package ingress

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// metrics are those of the server. No label has a value that a sender can choose.
type metrics struct {
	acceptedVec, ignoredVec, refused *prometheus.CounterVec
	duration                         *prometheus.HistogramVec
	handshakesVec                    *prometheus.CounterVec

	accepted, ignored map[kindLabel]prometheus.Counter // by kind, resolved once; read-only
	handshakes        map[string]prometheus.Counter    // by reason, likewise
}

func newMetrics() *metrics {
	m := &metrics{
		acceptedVec: counters("accepted",
			"Callbacks answered 200 after their commit, including duplicates and quarantined ones.", "kind"),
		ignoredVec: counters("ignored", "Callbacks answered 200 and not published because of IGNORE_STREAMS.", "kind"),
		refused:    counters("refused", "Requests rejected, by reason.", "kind", "reason"),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "livebridge_callback_duration_seconds",
			Help:    "Time from receiving a callback's headers to its response, whatever its status.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 2, 16),
		}, []string{"kind"}),
		handshakesVec: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "livebridge_tls_handshake_failures_total",
			Help: "Failed TLS handshakes, by reason.",
		}, []string{"reason"}),
		accepted:   make(map[kindLabel]prometheus.Counter),
		ignored:    make(map[kindLabel]prometheus.Counter),
		handshakes: make(map[string]prometheus.Counter),
	}
	for _, reason := range handshakeReasons() {
		m.handshakes[reason] = m.handshakesVec.WithLabelValues(reason)
	}
	for _, k := range bridge.Kinds() {
		m.accepted[kindLabel(k)] = m.acceptedVec.WithLabelValues(k.String())
		m.ignored[kindLabel(k)] = m.ignoredVec.WithLabelValues(k.String())
	}
	return m
}

func counters(result, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "livebridge_callbacks_" + result + "_total", Help: help,
	}, labels)
}

func (m *metrics) register(r prometheus.Registerer) error {
	return errors.Join(r.Register(m.acceptedVec), r.Register(m.ignoredVec), r.Register(m.refused),
		r.Register(m.duration), r.Register(m.handshakesVec))
}
