package ingress

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"livebridge/bridge"
)

// lastCallbacks is when a callback of each kind was last answered 200.
type lastCallbacks struct {
	byKind map[kindLabel]prometheus.Gauge // resolved once; read-only
}

func newLastCallbacks(r prometheus.Registerer) lastCallbacks {
	vec := promauto.With(r).NewGaugeVec(prometheus.GaugeOpts{
		Name: "livebridge_last_callback_timestamp_seconds",
		Help: "Unix time at which a callback of this kind was last answered 200; 0: not since the start.",
	}, []string{"kind"})
	l := lastCallbacks{byKind: make(map[kindLabel]prometheus.Gauge)}
	for _, k := range bridge.Kinds() {
		l.byKind[kindLabel(k)] = vec.WithLabelValues(k.String())
	}
	return l
}

func (l lastCallbacks) set(k kindLabel, now time.Time) {
	l.byKind[k].Set(float64(now.UnixMilli()) / 1000)
}
