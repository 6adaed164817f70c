package status

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// An hour of samples.
const (
	sampleInterval = 10 * time.Second
	sampleCount    = 360
)

// Sample is the traffic of one interval. Rates are per second, times in seconds; a time is 0 if there was nothing to
// time.
type Sample struct {
	At        time.Time `json:"at"`
	Accepted  float64   `json:"accepted_per_second"`
	Refused   float64   `json:"refused_per_second"`
	Lost      float64   `json:"lost_per_second"` // answered 503
	Published float64   `json:"published_per_second"`

	Answer50  float64 `json:"answer_p50_seconds"` // from a callback's headers to its response
	Answer99  float64 `json:"answer_p99_seconds"`
	Publish50 float64 `json:"publish_p50_seconds"` // until the broker's response
	Publish99 float64 `json:"publish_p99_seconds"`

	Outbox    float64 `json:"outbox_events"`
	OutboxAge float64 `json:"outbox_oldest_age_seconds"`
	Held      float64 `json:"held_events"`
}

// samples is a ring of samples of the metrics.
type samples struct {
	gatherer prometheus.Gatherer
	now      func() time.Time

	mu   sync.Mutex
	last reading // zero: none
	ring []Sample
	next int
}

func newSamples(g prometheus.Gatherer, now func() time.Time) *samples {
	return &samples{gatherer: g, now: now}
}

// run takes samples until ctx ends.
func (s *samples) run(ctx context.Context) {
	ticker := time.NewTicker(sampleInterval)
	defer ticker.Stop()
	for s.take(); ; s.take() {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// take takes one sample. The first only begins an interval.
func (s *samples) take() {
	families, err := s.gatherer.Gather()
	if err != nil && len(families) == 0 {
		return
	}
	r := readingOf(families, s.now())
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.last
	s.last = r
	if before.at.IsZero() || !r.at.After(before.at) {
		return
	}
	if len(s.ring) < sampleCount {
		s.ring = append(s.ring, Sample{})
	}
	s.ring[s.next] = r.since(before)
	s.next = (s.next + 1) % sampleCount
}

// all returns the samples, oldest first.
func (s *samples) all() []Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ring) < sampleCount {
		return append([]Sample{}, s.ring...)
	}
	return append(append([]Sample{}, s.ring[s.next:]...), s.ring[:s.next]...)
}

// reading is what a sample is made of: counters since the start, and gauges.
type reading struct {
	at                                 time.Time
	accepted, refused, lost, published float64
	answer, publish                    histogram
	outbox, outboxAge, held            float64
}

func readingOf(families []*dto.MetricFamily, now time.Time) reading {
	r := reading{at: now}
	for _, f := range families {
		switch f.GetName() {
		case "livebridge_callbacks_accepted_total":
			r.accepted = total(f)
		case "livebridge_callbacks_refused_total":
			r.refused = total(f)
		case "livebridge_callbacks_lost_total":
			r.lost = total(f)
		case "livebridge_events_published_total":
			r.published = total(f)
		case "livebridge_callback_duration_seconds":
			r.answer = histogramOf(f)
		case "livebridge_publish_duration_seconds":
			r.publish = histogramOf(f)
		case "livebridge_outbox_events":
			r.outbox = total(f)
		case "livebridge_outbox_oldest_age_seconds":
			r.outboxAge = total(f)
		case "livebridge_held_events":
			r.held = total(f)
		}
	}
	return r
}

// total adds the values of all series of a counter or gauge.
func total(f *dto.MetricFamily) (sum float64) {
	for _, m := range f.GetMetric() {
		sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return sum
}

// since returns the sample of the interval between two readings.
func (r *reading) since(before reading) Sample {
	seconds := r.at.Sub(before.at).Seconds()
	rate := func(now, then float64) float64 { return max(0, now-then) / seconds }
	answer, publish := r.answer.minus(before.answer), r.publish.minus(before.publish)
	return Sample{At: r.at.UTC(), Accepted: rate(r.accepted, before.accepted), Refused: rate(r.refused, before.refused),
		Lost: rate(r.lost, before.lost), Published: rate(r.published, before.published),
		Answer50: answer.quantile(0.5), Answer99: answer.quantile(0.99),
		Publish50: publish.quantile(0.5), Publish99: publish.quantile(0.99),
		Outbox: r.outbox, OutboxAge: r.outboxAge, Held: r.held}
}
