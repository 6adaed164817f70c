package main

import "github.com/prometheus/client_golang/prometheus"

// limitMetrics returns the limits of the journal, so that alerts and dashboards need not repeat the settings.
func (s *settings) limitMetrics() []prometheus.Collector {
	limit := func(name, help string, bytes size) prometheus.Collector {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "livebridge_" + name, Help: help})
		g.Set(float64(bytes))
		return g
	}
	return []prometheus.Collector{
		limit("journal_max_bytes", "JOURNAL_MAX_BYTES: above it callbacks are answered 503.", s.JournalMaxBytes),
		limit("disk_min_free_bytes", "MIN_FREE_BYTES: with less free space callbacks are answered 503.", s.MinFreeBytes),
	}
}
