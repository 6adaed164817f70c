package journal

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"livebridge/bridge"
)

func BenchmarkAppend(b *testing.B) {
	o := DefaultOptions(b.TempDir())
	j := open(b, o)
	defer closeJournal(b, j)
	now := bridge.MillisOf(time.Now())
	go func() {
		for {
			events, err := j.outbox.Next(b.Context())
			if err != nil {
				return
			}
			for _, e := range events {
				j.outbox.Settle(e, bridge.Settlement{})
			}
			if err := j.outbox.Trim(b.Context(), durable); err != nil {
				b.Error(err)
			}
		}
	}()
	arrivals := make([]*bridge.Arrival, b.N)
	for i := range arrivals {
		arrivals[i] = push(
			fmt.Sprint("room", i%2000),
			now-bridge.Millis(b.N-i/4000),
			bridge.PhasePublish+bridge.Phase(i/2000%2),
		)
	}
	b.ResetTimer()
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := w; i < b.N; i += 64 {
				add(b, j, arrivals[i])
			}
		})
	}
	wg.Wait()
}

// BenchmarkBacklog fills the outbox with a million events of a thousand lanes, opens the journal again, and drains it.
func BenchmarkBacklog(b *testing.B) {
	const events, lanes = 1_000_000, 1000
	for b.Loop() {
		o := DefaultOptions(b.TempDir())
		j := open(b, o)
		fill(b, j, events, lanes)
		b.ReportMetric(resident(b), "MB-full")
		closeJournal(b, j)
		begun := time.Now()
		j = open(b, o)
		b.ReportMetric(time.Since(begun).Seconds(), "s-to-ready")
		begun = time.Now()
		most := drainAll(b, j)
		b.ReportMetric(events/time.Since(begun).Seconds(), "drained/s")
		b.ReportMetric(most, "MB-draining")
		closeJournal(b, j)
	}
}

func fill(b *testing.B, j *Journal, events, lanes int) {
	var wg sync.WaitGroup
	now := bridge.MillisOf(time.Now())
	const workers = 256
	for w := range workers {
		wg.Go(func() {
			for n := range events / lanes {
				for l := w; l < lanes; l += workers {
					add(b, j, push(fmt.Sprint("room", l), now-1_000_000+bridge.Millis(n/2), bridge.PhasePublish+bridge.Phase(n%2)))
				}
			}
		})
	}
	wg.Wait()
}

// drainAll acknowledges everything and returns the most memory that it saw, in MB.
func drainAll(b *testing.B, j *Journal) (most float64) {
	trimmed := time.Now()
	for j.outbox.Pending() > 0 {
		events, err := j.outbox.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range events {
			j.outbox.Settle(e, bridge.Settlement{})
		}
		if time.Since(trimmed) > 100*time.Millisecond {
			trimmed = time.Now()
			most = max(most, resident(b))
			if err := j.outbox.Trim(b.Context(), durable); err != nil {
				b.Fatal(err)
			}
		}
	}
	return most
}

// resident returns the memory of the process, in MB.
func resident(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kb) / 1024
}
