package ingress

import "github.com/prometheus/client_golang/prometheus"

// Connections returns how many connections are open and how many may be. Before Serve none is.
func (s *Server) Connections() (open, limit int) { return len(s.slots), cap(s.slots) }

// connectionMetrics returns the metrics of open connections.
func connectionMetrics(s *Server) []prometheus.Collector {
	return []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "livebridge_connections",
			Help: "Open connections on the port for callbacks, idle ones included."},
			func() float64 { open, _ := s.Connections(); return float64(open) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "livebridge_connections_limit",
			Help: "Connections that may be open at once: MAX_CONNECTIONS, or less with a low limit on open files."},
			func() float64 { _, limit := s.Connections(); return float64(limit) }),
	}
}
