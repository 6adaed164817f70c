package ingress

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// metrics are those of the server. No label has a value that a sender can choose.
type metrics struct {
	acceptedVec, ignoredVec *prometheus.CounterVec
	refused, lost, probes   *prometheus.CounterVec
	unknown                 *prometheus.CounterVec // requests that are no callbacks
	duration                *prometheus.HistogramVec
	handshakesVec           *prometheus.CounterVec
	signedProbes            *prometheus.CounterVec
	lastCallback            lastCallbacks
	expiries                expiries

	accepted, ignored map[kindLabel]prometheus.Counter // by kind, resolved once; read-only
	handshakes        map[string]prometheus.Counter    // by reason, likewise
}

// newMetrics registers the metrics. It panics if they are registered already.
func newMetrics(r prometheus.Registerer) *metrics {
	auto := promauto.With(r)
	counters := func(result, help string, labels ...string) *prometheus.CounterVec {
		return auto.NewCounterVec(prometheus.CounterOpts{Name: "livebridge_callbacks_" + result + "_total", Help: help},
			labels)
	}
	m := &metrics{
		acceptedVec: counters("accepted",
			"Callbacks answered 200 after their commit, including duplicates and quarantined ones.", "kind"),
		ignoredVec: counters("ignored", "Callbacks answered 200 and not published because of IGNORE_STREAMS.", "kind"),
		refused: counters("refused",
			"Callbacks rejected because of what was sent, by reason and HTTP status code.", "kind", "reason", "code"),
		lost: counters("lost",
			"Callbacks answered 503, by reason: lost unless the provider sends them again.", "kind", "reason"),
		unknown: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "livebridge_unknown_requests_total",
			Help: "Requests for a path (404) or with a method (405) that does not exist, by HTTP status code.",
		}, []string{"code"}),
		probes: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "livebridge_probes_total",
			Help: "GET and HEAD requests for a route of callbacks, answered 200.",
		}, []string{"kind"}),
		duration: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "livebridge_callback_duration_seconds",
			Help:    "Time from receiving a callback's headers to its response, whatever its status.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 2, 16),
		}, []string{"kind"}),
		handshakesVec: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "livebridge_tls_handshake_failures_total",
			Help: "Failed TLS handshakes, by reason.",
		}, []string{"reason"}),
		signedProbes: newSignedProbes(r),
		lastCallback: newLastCallbacks(r),
		expiries:     newExpiries(r),

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
	m.begin()
	return m
}

// begin creates the counters of every label value, so that their first increase is seen as one.
func (m *metrics) begin() {
	for _, code := range []*Refusal{errNotFound, errMethod} {
		m.count(noKind, code, 0)
	}
	for _, why := range []*Refusal{errSource, errTooManyConnections, errTooManyRequests} {
		m.count(noKind, why, 0)
	}
	m.count(kindLabel(bridge.KindSnapshot), errToken, 0)
	for _, k := range bridge.Kinds() {
		for _, why := range refusalsOfCallbacks() {
			m.count(kindLabel(k), why, 0)
		}
		m.duration.WithLabelValues(k.String())
		m.probes.WithLabelValues(k.String())
	}
}

// refusalsOfCallbacks returns a refusal for every reason that a callback of any kind can have.
func refusalsOfCallbacks() []*Refusal {
	all := []*Refusal{
		errTooLarge, errCompressed, errIncomplete, errPanic, {Status: http.StatusBadRequest, Reason: reasonMalformed},
		journalRefusal(bridge.ErrFull), journalRefusal(bridge.ErrStopping), journalRefusal(bridge.ErrFailed),
		journalRefusal(bridge.ErrBrokerAway),
	}
	for reason, verdict := range signature.Reasons() {
		all = append(all, &Refusal{Status: statusOf(verdict), Reason: reason})
	}
	return all
}

// count adds n requests with one outcome.
func (m *metrics) count(k kindLabel, why *Refusal, n float64) {
	code := strconv.Itoa(why.Status)
	switch {
	case why.lost():
		m.lost.WithLabelValues(k.String(), why.Reason).Add(n)
	case why.unknown():
		m.unknown.WithLabelValues(code).Add(n)
	default:
		m.refused.WithLabelValues(k.String(), why.Reason, code).Add(n)
	}
}
