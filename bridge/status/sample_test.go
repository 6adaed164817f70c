package status

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// TestSamples: rates and quantiles are those of each interval, and the ring keeps the last hour.
func TestSamples(t *testing.T) {
	registry, now := prometheus.NewRegistry(), noon
	accepted := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "livebridge_callbacks_accepted_total"},
		[]string{"kind"})
	took := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "livebridge_callback_duration_seconds",
		Buckets: []float64{0.001, 0.002, 0.004}})
	registry.MustRegister(accepted, took)
	s := newSamples(registry, func() time.Time { return now })
	accepted.WithLabelValues("stream").Add(1_000_000) // before the first sample
	took.Observe(0.003)
	s.take()
	if len(s.all()) != 0 {
		t.Fatal("one reading is no interval")
	}
	for range 100 {
		took.Observe(0.0015)
	}
	accepted.WithLabelValues("stream").Add(30)
	accepted.WithLabelValues("record").Add(20)
	now = now.Add(sampleInterval)
	s.take()
	all := s.all()
	if len(all) != 1 || all[0].Accepted != 5 || math.Abs(all[0].Answer50-0.0015) > 1e-9 || all[0].Publish99 != 0 {
		t.Fatalf("%+v", all)
	}
	for range 2 * sampleCount {
		now = now.Add(sampleInterval)
		s.take()
	}
	all = s.all()
	first := now.Add(-(sampleCount - 1) * sampleInterval)
	if len(all) != sampleCount || !all[sampleCount-1].At.Equal(now) || !all[0].At.Equal(first) {
		t.Errorf("%d samples from %v to %v, and it is %v", len(all), all[0].At, all[len(all)-1].At, now)
	}
}

// TestQuantile interpolates in a bucket, and returns the last bound for what is above it.
func TestQuantile(t *testing.T) {
	bounds := []float64{1, 2, 4, math.Inf(1)}
	for _, c := range []struct {
		counts []float64
		part   float64
		want   float64
	}{
		{nil, 0.5, 0}, {[]float64{0, 0, 0, 0}, 0.99, 0}, {[]float64{10, 10, 10, 10}, 0.5, 0.5},
		{[]float64{0, 10, 10, 10}, 0.5, 1.5}, {[]float64{5, 5, 10, 10}, 0.75, 3}, {[]float64{0, 0, 0, 7}, 0.99, 4},
	} {
		if got := (histogram{bounds, c.counts}).quantile(c.part); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v of %v is %v, not %v", c.part, c.counts, got, c.want)
		}
	}
}

// TestEvents: the latest are remembered, of each lane, and no more of them.
func TestEvents(t *testing.T) {
	var r Events
	lane := func(i int) bridge.Lane {
		return bridge.Lane{Kind: bridge.KindStream, Domain: "d", App: "a", Stream: fmt.Sprint("s", i%3)}
	}
	const n = rememberedEvents + 300
	for i := range n {
		r.Add(&bridge.Event{Lane: lane(i), Type: "t.publish", Sequence: uint64(i), Marks: bridge.MarkLate}, noon)
	}
	of := r.of(lane(0).String())
	newest := uint64((n - 1) / 3 * 3)
	if len(r.ring) != rememberedEvents || of[0].Sequence != newest || of[1].Sequence != newest-3 {
		t.Errorf("%d, the newest are %d and %d", len(r.ring), of[0].Sequence, of[1].Sequence)
	}
	last := r.lastOf(map[string]bool{lane(0).String(): true, "stream:d/a/other": true})
	if got := last[lane(0).String()]; len(last) != 1 || got == nil || got.Sequence != newest || got.Marks[0] != "late" {
		t.Errorf("%+v", last)
	}
}

// TestChart: what has been sampled lies in the drawing, and nothing else does.
func TestChart(t *testing.T) {
	hour := newExample(t, nil).samples.all()
	for name, all := range map[string][]Sample{"none": nil, "one": {{At: noon}}, "an hour": hour} {
		for _, c := range charts(all, noon) {
			drawing := string(c.SVG())
			if c.Empty != (len(all) == 0) || strings.Contains(drawing, "NaN") || strings.Contains(drawing, "Inf") {
				t.Errorf("%s: %s: %s", name, c.Title, drawing)
			}
			for _, s := range c.Series {
				if points := len(strings.Fields(s.Line)); len(all) > 0 && points < 2 {
					t.Errorf("%s: %s: %d points are no line", name, c.Title, points)
				}
				for point := range strings.FieldsSeq(s.Line) {
					var x, y float64
					_, err := fmt.Sscanf(point, "%f,%f", &x, &y)
					if err != nil || x < plotLeft || x > plotRight || y < plotTop || y > plotBottom {
						t.Fatalf("%s: %s: %s: %v", name, c.Title, point, err)
					}
				}
			}
		}
	}
}

// TestFormats of numbers and times.
func TestFormats(t *testing.T) {
	for got, want := range map[string]string{
		perSecond(0): "0/s", perSecond(0.123): "0.12/s", perSecond(1234.4): "1,234/s", count(1234567): "1,234,567",
		duration(0): "–", duration(0.00012): "0.12 ms", duration(0.0123): "12 ms", duration(1.26): "1.3 s",
		span(59 * time.Second): "59 s", span(90 * time.Minute): "1 h 30 min", span(49 * time.Hour): "2 d 1 h",
		span(-time.Hour):   "0 s",
		clock(time.Time{}): "–", clock(noon): "2026-09-14 12:00:00", utc("not a time"): "not a time",
		shortType("a.b.done"): "done",
		fmt.Sprint(niceMax(0), niceMax(3), niceMax(20), niceMax(51)): "1 5 20 100",
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// BenchmarkSample is what is spent every ten seconds while nobody looks.
func BenchmarkSample(b *testing.B) {
	s := newSamples(prometheus.DefaultGatherer, time.Now)
	for b.Loop() {
		s.take()
	}
}

// BenchmarkAdd is what each published event costs.
func BenchmarkAdd(b *testing.B) {
	var r Events
	lane := bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Stream: "room1"}
	e := &bridge.Event{Lane: lane, Type: "com.huaweicloud.live.stream.publish"}
	b.ReportAllocs()
	for b.Loop() {
		r.Add(e, noon)
	}
}
