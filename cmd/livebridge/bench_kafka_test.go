//go:build brokers

package main

import (
	"slices"
	"testing"

	"livebridge/transports/kafka/kafkatest"
)

// BenchmarkAcceptKafka does as BenchmarkAccept with one real broker, in the same turns and on the same machine.
func BenchmarkAcceptKafka(b *testing.B) {
	tune()
	broker := kafkatest.Start(b, kafkatest.Options{JVM: []string{"-Xmx512m"}}).Broker(0)
	for b.Loop() {
		var bare, ours, left []float64
		for range benchRounds {
			bare = append(bare, load64(b, bareServer(b, nil)))
			rate, rest := benchBridge(b, "TRANSPORT", "kafka", "KAFKA_BROKERS", broker)
			ours, left = append(ours, rate), append(left, rest)
		}
		b.ReportMetric(median(bare), "bare/s")
		b.ReportMetric(median(ours), "livebridge/s")
		b.ReportMetric(median(ours)/median(bare), "ratio-to-bare")
		b.ReportMetric(slices.Max(left), "left-in-outbox")
	}
}

// BenchmarkLatencyKafka does as BenchmarkLatency with one real broker.
func BenchmarkLatencyKafka(b *testing.B) {
	tune()
	broker := kafkatest.Start(b, kafkatest.Options{JVM: []string{"-Xmx512m"}}).Broker(0)
	for b.Loop() {
		a, stop := benchApp(b, "TRANSPORT", "kafka", "KAFKA_BROKERS", broker)
		answered, consumed := latencies(b, a)
		b.ReportMetric(quantile(answered, 0.99), "ms-to-200-p99")
		b.ReportMetric(quantile(consumed, 0.99), "ms-200-to-consumer-p99")
		stop()
	}
}
