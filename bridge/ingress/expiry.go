package ingress

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"livebridge/bridge"
)

// expiries is how far ahead of this machine's clock the signatures of callbacks expire. Clocks that drift apart, and
// callbacks that were on their way for long, show here before they are refused.
type expiries struct {
	vec    *prometheus.HistogramVec
	byKind map[bridge.Kind]prometheus.Observer // resolved once; read-only
}

func newExpiries(r prometheus.Registerer) expiries {
	e := expiries{
		vec: promauto.With(r).NewHistogramVec(prometheus.HistogramOpts{
			Name: "livebridge_signature_expiry_seconds",
			Help: "Time from the arrival of a callback with a valid signature to its auth_timestamp; below 0: it has passed.",
			Buckets: []float64{-86400, -3600, -600, -300, -120, -60, -30, -10, 0, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200,
				86400},
		}, []string{"kind"}),
		byKind: make(map[bridge.Kind]prometheus.Observer),
	}
	for _, k := range []bridge.Kind{bridge.KindStream, bridge.KindRecord} { // the others have none
		e.byKind[k] = e.vec.WithLabelValues(k.String())
	}
	return e
}

// observe observes a callback that was judged at a time, if its signature is valid and has an expiry.
func (e expiries) observe(v *Verdict, now time.Time) {
	if v.Arrival == nil || v.Arrival.Event.Scheme == bridge.SchemeNone {
		return
	}
	at := e.byKind[v.Claim.Kind]
	seconds, err := strconv.ParseInt(v.Claim.Timestamp, 10, 64)
	if at == nil || err != nil {
		return
	}
	at.Observe(time.Unix(seconds, 0).Sub(now).Seconds())
}
