package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// registerLimits registers the limits of the journal, so that alerts and dashboards need not repeat the settings.
func (s *settings) registerLimits(r prometheus.Registerer) {
	auto := promauto.With(r)
	auto.NewGauge(prometheus.GaugeOpts{Name: "livebridge_journal_max_bytes",
		Help: "JOURNAL_MAX_BYTES: above it callbacks are answered 503."}).Set(float64(s.JournalMaxBytes))
	auto.NewGauge(prometheus.GaugeOpts{Name: "livebridge_disk_min_free_bytes",
		Help: "MIN_FREE_BYTES: with less free space callbacks are answered 503."}).Set(float64(s.MinFreeBytes))
}
