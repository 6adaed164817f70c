//go:build brokers

package kafka

import (
	"fmt"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/transports/kafka/kafkatest"
	"livebridge/transports/transporttest"
)

// BenchmarkReplicas commits events with a row each, so many at a time, and takes a partition with a state of a million
// rows, of one real broker.
func BenchmarkReplicas(b *testing.B) {
	c := kafkatest.Start(b, kafkatest.Options{JVM: []string{"-Xmx512m"}})
	o := DefaultOptions()
	o.Brokers, o.Partitions = joined(c.Brokers()), 1
	r, err := OpenReplicas(b.Context(), o, groupOf(o))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.Close(b.Context()) }()
	none := func([]bridge.Row, uint64) error { return nil }
	p, err := r.Take(b.Context(), 0, 0, none)
	if err != nil {
		b.Fatal(err)
	}
	for range 50 { // until the broker is warm
		if _, err := p.Commit(b.Context(), bridge.PartitionCommit{Rows: rowsOf(0, 1)}); err != nil {
			b.Fatal(err)
		}
	}
	for _, n := range []int{1, 10, 100, 1000} {
		commit := bridge.PartitionCommit{Events: transporttest.Events(n, 1, 1), Rows: rowsOf(0, n)}
		b.Run(fmt.Sprint("events=", n), func(b *testing.B) {
			begun, commits := time.Now(), 0
			for b.Loop() {
				if _, err := p.Commit(b.Context(), commit); err != nil {
					b.Fatal(err)
				}
				commits++
			}
			b.ReportMetric(float64(commits*n)/time.Since(begun).Seconds(), "events/s")
		})
	}
	const rows = 1_000_000
	for first := 0; first < rows; first += 10_000 {
		if _, err := p.Commit(b.Context(), bridge.PartitionCommit{Rows: rowsOf(first, 10_000)}); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("take", func(b *testing.B) {
		begun, taken := time.Now(), 0
		for b.Loop() {
			q, err := r.Take(b.Context(), 0, 0, func(rows []bridge.Row, _ uint64) error { taken += len(rows); return nil })
			if err != nil {
				b.Fatal(err)
			}
			_ = q.Close()
		}
		b.ReportMetric(float64(taken)/time.Since(begun).Seconds(), "rows/s")
	})
}

// rowsOf returns n rows as large as those of identities.
func rowsOf(first, n int) (out []bridge.Row) {
	for i := range n {
		out = append(out, bridge.Row{Key: fmt.Appendf(nil, "i%016x", first+i), Value: fmt.Appendf(nil, "%032d", i)})
	}
	return out
}
