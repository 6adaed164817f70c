package keyring

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics is what a Keyring tells Prometheus. A key is named by its id.
type metrics struct {
	reloads *prometheus.CounterVec
	failing *prometheus.GaugeVec
	uses    *useCollector
}

func newMetrics(k *Keyring) *metrics {
	m := &metrics{
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "livebridge_key_file_reloads_total",
			Help: "New contents of files of keys, by the setting that names the file and whether they were taken."}, []string{"setting", "result"}),
		failing: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "livebridge_key_file_failing",
			Help: "1 while what a file of keys says cannot be used and the keys before it stay in force."}, []string{"setting"}),
		uses: &useCollector{keyring: k,
			count: prometheus.NewDesc("livebridge_key_uses_total",
				"Callbacks believed because of a key, by kind and the first 8 hex digits of the key's SHA-256.", []string{"kind", "key"}, nil),
			last: prometheus.NewDesc("livebridge_key_last_use_timestamp_seconds",
				"When a key was last the one that a callback was believed for; 0: not since the start.", []string{"kind", "key"}, nil)},
	}
	for _, f := range k.files {
		m.failing.WithLabelValues(f.Setting).Set(0)
	}
	return m
}

func (m *metrics) register(r prometheus.Registerer) error {
	return errors.Join(r.Register(m.reloads), r.Register(m.failing), r.Register(m.uses))
}

func (m *metrics) loaded(f *watched) {
	m.reloads.WithLabelValues(f.Setting, "taken").Inc()
	m.failing.WithLabelValues(f.Setting).Set(0)
}

func (m *metrics) failed(f *watched) {
	m.reloads.WithLabelValues(f.Setting, "refused").Inc()
	m.failing.WithLabelValues(f.Setting).Set(1)
}

// useCollector tells of the keys in force: those that are gone are told no more.
type useCollector struct {
	keyring     *Keyring
	count, last *prometheus.Desc
}

// Describe sends the descriptions.
func (c *useCollector) Describe(out chan<- *prometheus.Desc) { out <- c.count; out <- c.last }

// Collect sends what the keys in force were used for.
func (c *useCollector) Collect(out chan<- prometheus.Metric) {
	for _, u := range c.keyring.Ring().Keys() {
		out <- prometheus.MustNewConstMetric(c.count, prometheus.CounterValue, float64(u.Count), u.Kind.String(), u.ID)
		out <- prometheus.MustNewConstMetric(c.last, prometheus.GaugeValue, float64(u.Last)/1000, u.Kind.String(), u.ID)
	}
}
