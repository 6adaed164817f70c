package tally

import (
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// Tally is the metrics of what was decided. No label holds the name of a stream. Its methods may be called by any
// number of goroutines.
type Tally struct {
	Duplicates prometheus.Counter // exported for tests that put a slow one in its place

	holds             prometheus.Counter
	marks             *prometheus.CounterVec
	reasons           *prometheus.CounterVec
	filtered          *prometheus.CounterVec
	sessions          *prometheus.CounterVec
	quarantineDropped prometheus.Counter
	forgottenEarly    prometheus.Counter
	held              prometheus.Gauge
	holdTimes         *holdMetrics
	redeliverySeconds prometheus.Histogram
	quarantineEntries prometheus.Gauge
	deadLetters       prometheus.Gauge

	mu         sync.Mutex
	deliveries *deliveries
}

// New returns one that has counted nothing.
func New() *Tally {
	t := &Tally{
		Duplicates: counter("callbacks_duplicate_total", "Redelivered callbacks; acknowledged and not published again."),
		holds:      counter("holds_total", "Events that were held for an earlier event of their lane."),
		marks:      counters("events_marked_total", "Emitted events by mark.", "mark"),
		reasons:    counters("callbacks_quarantined_total", "Callbacks quarantined, by reason.", "reason"),
		filtered: counters("events_filtered_total",
			"Events that were not published because of PUBLISH_TYPES, by type.", "type"),
		sessions: counters("session_events_total", "Emitted events of the kind session, by type.", "type"),
		quarantineDropped: counter("quarantine_evicted_total",
			"Quarantine entries evicted or not admitted because of its limits on number, age and entries per signature."),
		forgottenEarly: counter("dedupe_evicted_total",
			"Identities evicted before DEDUPE_WINDOW because of DEDUPE_MAX."),
		held:      prometheus.NewGauge(gaugeOpts("held_events", "Events on hold.")),
		holdTimes: newHoldMetrics(),
		redeliverySeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "redelivery_interval_seconds",
			Help: "Time between a redelivered callback and the delivery before it, if that was among the latest 16,384.",

			Buckets: prometheus.ExponentialBuckets(0.1, 4, 10)}),
		quarantineEntries: prometheus.NewGauge(gaugeOpts("quarantine_entries", "Entries of the quarantine.")),
		deadLetters: prometheus.NewGauge(gaugeOpts("dead_letters",
			"Events that the broker has rejected for good.")),
		deliveries: newDeliveries(),
	}
	t.begin()
	return t
}

// begin makes every series that is known beforehand, so that the first increase of each is seen.
func (t *Tally) begin() {
	for _, word := range bridge.AllMarks().List() {
		t.marks.WithLabelValues(word)
	}
	for _, reason := range bridge.Reasons() {
		t.reasons.WithLabelValues(string(reason))
	}
	for _, eventType := range bridge.EventTypes() {
		t.filtered.WithLabelValues(eventType)
		if strings.Contains(eventType, ".session.") {
			t.sessions.WithLabelValues(eventType)
		}
	}
}

func (t *Tally) collectors() []prometheus.Collector {
	return []prometheus.Collector{t.Duplicates, t.holds, t.marks, t.reasons, t.filtered, t.sessions, t.quarantineDropped,
		t.forgottenEarly, t.held, t.holdTimes.age, t.holdTimes.duration, t.redeliverySeconds, t.quarantineEntries,
		t.deadLetters}
}

// Describe implements prometheus.Collector.
func (t *Tally) Describe(to chan<- *prometheus.Desc) {
	for _, c := range t.collectors() {
		c.Describe(to)
	}
}

// Collect implements prometheus.Collector.
func (t *Tally) Collect(to chan<- prometheus.Metric) {
	for _, c := range t.collectors() {
		c.Collect(to)
	}
}

// Levels are how much there is of what comes and goes.
type Levels struct {
	Held        int           // events
	OldestHold  bridge.Millis // when the one was put on hold that is held the longest; 0: nothing is held
	Quarantine  uint64        // entries
	DeadLetters uint64
}

// Show has the metrics show levels.
func (t *Tally) Show(l Levels) {
	t.holdTimes.oldest.Store(int64(l.OldestHold))
	t.held.Set(float64(l.Held))
	t.quarantineEntries.Set(float64(l.Quarantine))
	t.deadLetters.Set(float64(l.DeadLetters))
}

// Counted is how much of some effects was counted.
type Counted struct {
	Decisions, Emitted, Filtered, Quarantined int

	held, released, duplicates, quarantineEvicted int
	identitiesEvicted                             uint64
}

// Count counts what the effects have more than was counted before.
func (t *Tally) Count(eff *processor.Effects, was *Counted) {
	for _, e := range eff.Emitted[was.Emitted:] {
		t.emitted(e)
	}
	for _, e := range eff.Filtered[was.Filtered:] {
		t.filtered.WithLabelValues(e.Type).Inc()
	}
	t.delivered(eff.Decisions[was.Decisions:])
	for _, e := range eff.Released[was.released:] {
		t.holdTimes.released(e, eff.Now.Millis()-e.Recorded)
	}
	for i := range eff.Quarantined[was.Quarantined:] {
		t.reasons.WithLabelValues(string(eff.Quarantined[was.Quarantined+i].What.Reason)).Inc()
	}
	count(t.Duplicates, eff.Duplicates-was.duplicates)
	count(t.holds, len(eff.Held)-was.held)
	count(t.quarantineDropped, eff.QuarantineEvicted-was.quarantineEvicted)
	count(t.forgottenEarly, int(eff.IdentitiesEvicted-was.identitiesEvicted))
	*was = Counted{Decisions: len(eff.Decisions), Emitted: len(eff.Emitted), Filtered: len(eff.Filtered),
		Quarantined: len(eff.Quarantined), held: len(eff.Held), released: len(eff.Released), duplicates: eff.Duplicates,
		quarantineEvicted: eff.QuarantineEvicted, identitiesEvicted: eff.IdentitiesEvicted}
}

func (t *Tally) emitted(e *bridge.Event) {
	for _, word := range e.Marks.List() {
		t.marks.WithLabelValues(word).Inc()
	}
	if e.Lane.Kind == bridge.KindSession {
		t.sessions.WithLabelValues(e.Type).Inc()
	}
}

// delivered notes deliveries, and counts the time between those of one callback.
func (t *Tally) delivered(decisions []processor.Decision) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range decisions {
		before := t.deliveries.note(d.Event.ID, d.Event.Recorded)
		if d.Verdict == processor.VerdictDuplicate && before > 0 {
			t.redeliverySeconds.Observe(seconds(d.Event.Recorded - before))
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

func gaugeOpts(name, help string) prometheus.GaugeOpts {
	return prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}
}
