package ingress

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// lastCallbacks is when a callback of each kind was last answered 200.
type lastCallbacks struct {
	vec    *prometheus.GaugeVec
	byKind map[kindLabel]prometheus.Gauge // resolved once; read-only
}

func newLastCallbacks() lastCallbacks {
	l := lastCallbacks{
		vec: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "livebridge_last_callback_timestamp_seconds",
			Help: "Unix time at which a callback of this kind was last answered 200; 0: not since the start.",
		}, []string{"kind"}),
		byKind: make(map[kindLabel]prometheus.Gauge),
	}
	for _, k := range bridge.Kinds() {
		l.byKind[kindLabel(k)] = l.vec.WithLabelValues(k.String())
	}
	return l
}

func (l lastCallbacks) set(k kindLabel, now time.Time) {
	l.byKind[k].Set(float64(now.UnixMilli()) / 1000)
}
