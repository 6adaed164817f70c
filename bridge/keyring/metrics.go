package keyring

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are those of a Keyring. Keys are identified by signature.KeyID.
type metrics struct {
	reloads    *prometheus.CounterVec
	successful *prometheus.GaugeVec
}

// newMetrics registers the metrics. It panics if they are registered already; r may be nil.
func newMetrics(r prometheus.Registerer, k *Keyring) *metrics {
	auto := promauto.With(r)
	m := &metrics{
		reloads: auto.NewCounterVec(prometheus.CounterOpts{Name: "livebridge_key_file_reloads_total",
			Help: "Reloads of key files after a change, by the setting that names the file and by result."},
			[]string{"setting", "result"}),
		successful: auto.NewGaugeVec(prometheus.GaugeOpts{Name: "livebridge_key_file_last_reload_successful",
			Help: "1 if the last load of the key file succeeded; 0 while it is unusable and previous keys stay in use."},
			[]string{"setting"}),
	}
	if r != nil {
		r.MustRegister(newUseCollector(k))
	}
	for _, f := range k.files {
		m.successful.WithLabelValues(f.Setting).Set(1) // Open has loaded them all
		m.reloads.WithLabelValues(f.Setting, "success")
		m.reloads.WithLabelValues(f.Setting, "failure")
	}
	return m
}

func (m *metrics) loaded(f *watched) {
	m.reloads.WithLabelValues(f.Setting, "success").Inc()
	m.successful.WithLabelValues(f.Setting).Set(1)
}

func (m *metrics) failed(f *watched) {
	m.reloads.WithLabelValues(f.Setting, "failure").Inc()
	m.successful.WithLabelValues(f.Setting).Set(0)
}

// useCollector collects the usage of the active keys only: removed keys disappear.
type useCollector struct {
	keyring     *Keyring
	count, last *prometheus.Desc
}

func newUseCollector(k *Keyring) *useCollector {
	labels := []string{"kind", "key"}
	return &useCollector{keyring: k,
		count: prometheus.NewDesc("livebridge_key_uses_total",
			"Callbacks verified with a key, by kind and the first 8 hex digits of the key's SHA-256.", labels, nil),
		last: prometheus.NewDesc("livebridge_key_last_use_timestamp_seconds",
			"Unix time at which a callback was last verified with a key; 0: not since the start.", labels, nil),
	}
}

// Describe sends the descriptions.
func (c *useCollector) Describe(out chan<- *prometheus.Desc) { out <- c.count; out <- c.last }

// Collect sends the usage of the active keys.
func (c *useCollector) Collect(out chan<- prometheus.Metric) {
	for _, u := range c.keyring.Ring().Keys() {
		out <- prometheus.MustNewConstMetric(c.count, prometheus.CounterValue, float64(u.Count), u.Kind.String(), u.ID)
		out <- prometheus.MustNewConstMetric(c.last, prometheus.GaugeValue, float64(u.Last)/1000, u.Kind.String(), u.ID)
	}
}
