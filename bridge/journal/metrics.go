package journal

import (
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
	"livebridge/bridge/store"
)

// metrics is what the journal tells Prometheus. No label holds the name of a stream.
type metrics struct {
	duplicates        prometheus.Counter
	holds             prometheus.Counter
	marks             *prometheus.CounterVec
	reasons           *prometheus.CounterVec
	filtered          *prometheus.CounterVec
	sessions          *prometheus.CounterVec
	quarantineDropped prometheus.Counter
	forgottenEarly    prometheus.Counter
	commitSeconds     prometheus.Histogram
	commitCallbacks   prometheus.Histogram
	held              prometheus.Gauge
	holdTimes         *holdMetrics
	redeliverySeconds prometheus.Histogram
	outboxBytes       prometheus.Gauge
	quarantineEntries prometheus.Gauge
	deadLetters       prometheus.Gauge
	outboxDepth       prometheus.GaugeFunc
	outboxAge         prometheus.GaugeFunc
	freeBytes         prometheus.GaugeFunc
	historyEntries    prometheus.Gauge
	historyBytes      prometheus.Gauge
	historyOldest     prometheus.Gauge
	historyDropped    *prometheus.CounterVec
}

func newMetrics(j *Journal) *metrics {
	m := &metrics{
		duplicates: counter("callbacks_duplicate_total",
			"Redelivered callbacks; acknowledged and not published again."),
		holds:   counter("holds_total", "Events that were held for an earlier event of their lane."),
		marks:   counters("events_marked_total", "Emitted events by mark.", "mark"),
		reasons: counters("callbacks_quarantined_total", "Callbacks quarantined, by reason.", "reason"),
		filtered: counters("events_filtered_total",
			"Events that were not published because of PUBLISH_TYPES, by type.", "type"),
		sessions: counters("session_events_total", "Emitted events of the kind session, by type.", "type"),
		quarantineDropped: counter("quarantine_evicted_total",
			"Quarantine entries evicted or not admitted because of its limits on number, age and entries per signature."),
		forgottenEarly: counter("dedupe_evicted_total",
			"Identities evicted before DEDUPE_WINDOW because of DEDUPE_MAX."),
		commitSeconds: histogram("journal_commit_duration_seconds", "Time from writing a commit to the end of its sync.",
			prometheus.ExponentialBuckets(0.0001, 2, 16)),
		commitCallbacks: histogram("journal_commit_batch_size", "Callbacks per commit.",
			prometheus.ExponentialBuckets(1, 2, 13)),
		held:      gauge("held_events", "Events on hold."),
		holdTimes: newHoldMetrics(),
		redeliverySeconds: histogram("redelivery_interval_seconds",
			"Time between a redelivered callback and the delivery before it, if that was among the latest 16,384.",
			prometheus.ExponentialBuckets(0.1, 4, 10)),
		outboxBytes: gauge(
			"journal_bytes",
			"Bytes of outbox, holds, quarantine and dead letters: JOURNAL_MAX_BYTES limits them.",
		),
		quarantineEntries: gauge("quarantine_entries", "Entries of the quarantine."),
		deadLetters:       gauge("dead_letters", "Events that the broker has rejected for good."),
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
	for _, word := range bridge.AllMarks().List() {
		m.marks.WithLabelValues(word)
	}
	for _, reason := range bridge.Reasons() {
		m.reasons.WithLabelValues(string(reason))
	}
	for _, eventType := range bridge.EventTypes() {
		m.filtered.WithLabelValues(eventType)
		if strings.Contains(eventType, ".session.") {
			m.sessions.WithLabelValues(eventType)
		}
	}
}

func (m *metrics) register(r prometheus.Registerer) error {
	var errs []error
	for _, c := range []prometheus.Collector{
		m.duplicates, m.holds, m.marks, m.reasons, m.filtered, m.sessions, m.quarantineDropped, m.forgottenEarly,
		m.commitSeconds, m.commitCallbacks, m.held, m.holdTimes.age, m.holdTimes.duration, m.redeliverySeconds,
		m.outboxBytes, m.quarantineEntries, m.deadLetters, m.outboxDepth, m.outboxAge, m.freeBytes,
		m.historyEntries, m.historyBytes, m.historyOldest, m.historyDropped,
	} {
		errs = append(errs, r.Register(c))
	}
	return errors.Join(errs...)
}

func (m *metrics) mark(marks bridge.Marks) {
	for _, word := range marks.List() {
		m.marks.WithLabelValues(word).Inc()
	}
}

func (m *metrics) quarantined(reason bridge.Reason) { m.reasons.WithLabelValues(string(reason)).Inc() }

func (m *metrics) commit(took time.Duration, callbacks int) {
	m.commitSeconds.Observe(took.Seconds())
	m.commitCallbacks.Observe(float64(callbacks))
}

// redelivered counts a callback that came again after a time.
func (m *metrics) redelivered(after bridge.Millis) { m.redeliverySeconds.Observe(seconds(after)) }

func (m *metrics) show(j *Journal) {
	m.holdTimes.oldest.Store(int64(j.processor.OldestHold()))
	c := j.processor.Counters()
	m.held.Set(float64(j.processor.Holding()))
	m.outboxBytes.Set(float64(j.bytes()))
	m.quarantineEntries.Set(float64(c.Quarantine.Entries))
	m.deadLetters.Set(float64(c.DeadLetters.Entries))
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

// count counts n more.
func count(c prometheus.Counter, n int) {
	switch {
	case n == 1:
		c.Inc()
	case n > 1:
		c.Add(float64(n))
	}
}

const namespace = "livebridge"

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
}

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
