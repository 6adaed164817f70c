package ingress

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Connections returns how many connections are open and how many may be. Before Serve none is.
func (s *Server) Connections() (open, limit int) { return len(s.slots), cap(s.slots) }

// registerConnections registers the metrics of open connections.
func registerConnections(s *Server, r prometheus.Registerer) {
	auto := promauto.With(r)
	auto.NewGaugeFunc(prometheus.GaugeOpts{Name: "livebridge_connections",
		Help: "Open connections on the port for callbacks, idle ones included."},
		func() float64 { return float64(len(s.slots)) })
	auto.NewGaugeFunc(prometheus.GaugeOpts{Name: "livebridge_connections_limit",
		Help: "Connections that may be open at once: MAX_CONNECTIONS, or less with a low limit on open files."},
		func() float64 { return float64(cap(s.slots)) })
}
