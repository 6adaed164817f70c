package simulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"livebridge/bridge"
)

// Sent is one callback that was sent, and its response.
type Sent struct {
	Time    time.Time
	Took    time.Duration
	Status  int // 0: no response
	Expect  int
	Lane    bridge.Lane
	Event   string        // the event name; empty for snapshots
	Session bridge.Millis // of stream status
	Name    string        // node_ip, snapshot_url or job_id, which identifies the occurrence
	Again   int           // how often it was sent before
}

// Report is the result so far.
type Report struct {
	Sent       int
	Status     map[int]int // responses by status; 0: none
	NoResponse error       // why the last callback without a response has none
	Unexpected int         // responses other than expected, missing ones included
	Elapsed    time.Duration
	P50, P99   time.Duration // time to the response, within 5 %
	Max        time.Duration
}

// String returns the report on one line.
func (r Report) String() string {
	var b strings.Builder
	seconds := r.Elapsed.Seconds()
	fmt.Fprintf(&b, "%d sent in %.1f s (%.0f/s)", r.Sent, seconds, float64(r.Sent)/max(seconds, 0.001))
	for _, status := range slices.Sorted(maps.Keys(r.Status)) {
		name := fmt.Sprint(status)
		if status == 0 {
			name = "no response"
		}
		fmt.Fprintf(&b, ", %s: %d", name, r.Status[status])
		if status == 0 && r.NoResponse != nil {
			fmt.Fprintf(&b, " (%v)", r.NoResponse)
		}
	}
	fmt.Fprintf(&b, ", unexpected: %d; latency p50 %v, p99 %v, max %v", r.Unexpected,
		r.P50.Round(10*time.Microsecond), r.P99.Round(10*time.Microsecond), r.Max.Round(10*time.Microsecond))
	return b.String()
}

// maxLatency is the longest latency that is recorded; longer ones count as this.
const maxLatency = 10 * time.Minute

// stats counts what all senders send.
type stats struct {
	begun   time.Time
	mu      sync.Mutex
	counted Report
	latency *hdrhistogram.Histogram // in microseconds
	sent    func(Sent) error
	err     error
}

func newStats(sent func(Sent) error) *stats {
	return &stats{
		begun: time.Now(), counted: Report{Status: make(map[int]int)}, sent: sent,
		latency: hdrhistogram.New(1, maxLatency.Microseconds(), 3),
	}
}

// add counts a callback; err is why there is no response to it.
func (t *stats) add(err error, s Sent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counted.Sent++
	t.counted.Status[s.Status]++
	if err != nil {
		t.counted.NoResponse = err
	}
	if s.Status != s.Expect {
		t.counted.Unexpected++
	}
	t.counted.Max = max(t.counted.Max, s.Took)
	_ = t.latency.RecordValue(min(s.Took, maxLatency).Microseconds()) // the only error is a value above the maximum
	if err := t.sent(s); err != nil && t.err == nil {
		t.err = err
	}
}

// fail keeps the first error that is not one of the service.
func (t *stats) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
}

func (t *stats) report() Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.counted
	r.Status = maps.Clone(r.Status)
	r.Elapsed = time.Since(t.begun)
	r.P50, r.P99 = t.quantile(50, r.Max), t.quantile(99, r.Max)
	return r
}

// quantile returns the latency at a percentile, within 0.1 %.
func (t *stats) quantile(percentile float64, longest time.Duration) time.Duration {
	return min(time.Duration(t.latency.ValueAtQuantile(percentile))*time.Microsecond, longest)
}

// watch reports the progress until stop is called.
func (t *stats) watch(progress func(Report)) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				progress(t.report())
			}
		}
	}()
	return func() { close(done); <-ended }
}
