package journal

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge/store"
	"livebridge/bridge/tally"
)

// metrics is what the journal tells Prometheus. No label holds the name of a stream.
type metrics struct {
	*tally.Tally

	commitSeconds   prometheus.Histogram
	commitCallbacks prometheus.Histogram
	outboxBytes     prometheus.Gauge
	outboxDepth     prometheus.GaugeFunc
	outboxAge       prometheus.GaugeFunc
	freeBytes       prometheus.GaugeFunc
	historyEntries  prometheus.Gauge
	historyBytes    prometheus.Gauge
	historyOldest   prometheus.Gauge
	historyDropped  *prometheus.CounterVec
}

func newMetrics(j *Journal) *metrics {
	m := &metrics{
		Tally: tally.New(),
		commitSeconds: histogram("journal_commit_duration_seconds", "Time from writing a commit to the end of its sync.",
			prometheus.ExponentialBuckets(0.0001, 2, 16)),
		commitCallbacks: histogram("journal_commit_batch_size", "Callbacks per commit.",
			prometheus.ExponentialBuckets(1, 2, 13)),
		outboxBytes: gauge("journal_bytes",
			"Bytes of outbox, holds, quarantine and dead letters: JOURNAL_MAX_BYTES limits them."),
		outboxDepth: prometheus.NewGaugeFunc(
			gaugeOpts("outbox_events", "Emitted events that the broker has not acknowledged."),
			func() float64 { return float64(j.outbox.Pending()) }),
		outboxAge: prometheus.NewGaugeFunc(
			gaugeOpts("outbox_oldest_age_seconds", "Age of the oldest event of the outbox in memory."),
			func() float64 { return j.outbox.Age(time.Now()).Seconds() }),
		freeBytes: prometheus.NewGaugeFunc(gaugeOpts("disk_free_bytes", "Free space on the disk of DATA_DIR."),
			func() float64 { return float64(j.capacity.free.Load()) }),
		historyEntries: gauge("history_events", "Published events that are kept, see JOURNAL_KEEP."),
		historyBytes:   gauge("history_bytes", "Bytes of published events that are kept: JOURNAL_KEEP_BYTES limits them."),
		historyOldest: gauge("history_oldest_timestamp_seconds",
			"Unix time at which the oldest event that is kept was published; 0: none is kept."),
		historyDropped: counters("history_dropped_total",
			"Published events dropped from the history because of JOURNAL_KEEP (age), of JOURNAL_KEEP_BYTES (bytes), or of a "+
				"disk that is nearly full (disk).", "reason"),
	}
	m.begin()
	return m
}

// begin makes every series that is known beforehand, so that the first increase of each is seen.
func (m *metrics) begin() {
	for _, reason := range []string{droppedAge, droppedBytes, droppedDisk} {
		m.historyDropped.WithLabelValues(reason)
	}
}

func (m *metrics) register(r prometheus.Registerer) error {
	var errs []error
	for _, c := range []prometheus.Collector{
		m.Tally, m.commitSeconds, m.commitCallbacks, m.outboxBytes, m.outboxDepth, m.outboxAge, m.freeBytes,
		m.historyEntries, m.historyBytes, m.historyOldest, m.historyDropped,
	} {
		errs = append(errs, r.Register(c))
	}
	return errors.Join(errs...)
}

func (m *metrics) commit(took time.Duration, callbacks int) {
	m.commitSeconds.Observe(took.Seconds())
	m.commitCallbacks.Observe(float64(callbacks))
}

func (m *metrics) show(j *Journal) {
	c := j.processor.Counters()
	m.Show(tally.Levels{Held: j.processor.Holding(), OldestHold: j.processor.OldestHold(),
		Quarantine: c.Quarantine.Entries, DeadLetters: c.DeadLetters.Entries})
	m.outboxBytes.Set(float64(j.bytes()))
	kept, oldest := j.store.History()
	m.historyEntries.Set(float64(kept.Entries))
	m.historyBytes.Set(float64(kept.Bytes))
	m.historyOldest.Set(float64(oldest) / 1000)
}

// The reasons of history_dropped_total.
const (
	droppedAge   = "age"
	droppedBytes = "bytes"
	droppedDisk  = "disk"
)

// dropped counts what has left the history.
func (m *metrics) dropped(d store.HistoryDrop) {
	for reason, n := range map[string]uint64{droppedAge: d.Aged, droppedBytes: d.Sized, droppedDisk: d.Disk} {
		if n > 0 {
			m.historyDropped.WithLabelValues(reason).Add(float64(n))
		}
	}
}

const namespace = "livebridge"

func counters(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, []string{label})
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(
		prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
}

func gauge(name, help string) prometheus.Gauge { return prometheus.NewGauge(gaugeOpts(name, help)) }

func gaugeOpts(name, help string) prometheus.GaugeOpts {
	return prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}
}
