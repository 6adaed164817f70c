//go:build brokers

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"livebridge/bridge"
	"livebridge/transports/kafka/kafkatest"
)

// benchBroker starts one real broker. What it learns in its first seconds a broker of a user has long learnt: until its
// code is compiled it takes twice the time, so a first round is not counted.
func benchBroker(b *testing.B) string {
	broker := kafkatest.Start(b, kafkatest.Options{JVM: []string{"-Xmx512m"}}).Broker(0)
	benchBridge(b, "TRANSPORT", "kafka", "KAFKA_BROKERS", broker, "KAFKA_TOPIC", "warm.up")
	return broker
}

// BenchmarkAcceptKafka does as BenchmarkAccept with one real broker, on the same machine.
func BenchmarkAcceptKafka(b *testing.B) {
	tune()
	broker := benchBroker(b)
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

// BenchmarkLatencyKafka does as BenchmarkLatency with one real broker, whose topic is there and read.
func BenchmarkLatencyKafka(b *testing.B) {
	tune()
	broker := benchBroker(b)
	for b.Loop() {
		a, stop := benchApp(b, "TRANSPORT", "kafka", "KAFKA_BROKERS", broker)
		readTopic(b, a)
		answered, consumed := latencies(b, a)
		b.ReportMetric(quantile(answered, 0.99), "ms-to-200-p99")
		b.ReportMetric(quantile(consumed, 0.99), "ms-200-to-consumer-p99")
		stop()
	}
}

// readTopic sends one callback and waits until it is consumed.
func readTopic(b *testing.B, a *app) {
	if status, err := post(context.Background(), "http://"+a.callbacks.Addr().String()+"/live/stream", benchBody(1<<20, time.Now().Unix(), 0)); err != nil || status != 200 {
		b.Fatal(status, err)
	}
	seen := errors.New("seen")
	if err := a.settings.consume(context.Background(), a.consumersURL(), true, func(message) error { return seen }); !errors.Is(err, seen) {
		b.Fatal(err)
	}
}

const kafkaBacklog = 300_000

// BenchmarkBacklogKafka publishes a backlog to one real broker, and the same events in batches made by hand, by a plain
// loop over the client with acks=all, in turns.
func BenchmarkBacklogKafka(b *testing.B) {
	broker := benchBroker(b)
	for b.Loop() {
		var ours, plain []float64
		for n := range benchRounds {
			ours = append(ours, drained(b, broker, fmt.Sprint("backlog.", n)))
			plain = append(plain, byHand(b, broker, fmt.Sprint("by.hand.", n)))
		}
		b.ReportMetric(median(ours), "drained/s")
		b.ReportMetric(median(plain), "by-hand/s")
		b.ReportMetric(median(ours)/median(plain), "ratio-to-by-hand")
	}
}

// drained starts the program on an outbox with a backlog and returns how many events a second go out.
func drained(b *testing.B, broker, topic string) float64 {
	const lanes = 1000
	dir := b.TempDir()
	j := openBench(b, dir)
	seed(b, j, lanes, kafkaBacklog/lanes)
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	service := launch(b, dir, prefix+"TRANSPORT=kafka", prefix+"KAFKA_BROKERS="+broker, prefix+"KAFKA_TOPIC="+topic)
	begun := time.Now()
	for service.metrics(b)["livebridge_outbox_events"] > 0 {
		<-time.After(20 * time.Millisecond)
	}
	rate := kafkaBacklog / time.Since(begun).Seconds()
	service.signal(b, syscall.SIGTERM)
	service.end(b)
	return rate
}

// byHand sends as many events, whose bytes are ready, in batches of 500 to one partition after the other.
func byHand(b *testing.B, broker, topic string) float64 {
	const partitions, batch = 12, 500
	client := &kafkago.Client{Addr: kafkago.TCP(broker), Transport: &kafkago.Transport{}, Timeout: 10 * time.Second}
	answer, err := client.CreateTopics(b.Context(), &kafkago.CreateTopicsRequest{
		Topics: []kafkago.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}}})
	if err != nil || answer.Errors[topic] != nil {
		b.Fatal(err, answer.Errors)
	}
	for n := 0; n < partitions; n++ { // a new partition has no leader for a moment
		one := kafkago.NewRecordReader(kafkago.Record{Value: kafkago.NewBytes([]byte("{}"))})
		if answer, err := client.Produce(b.Context(), &kafkago.ProduceRequest{Topic: topic, Partition: n, RequiredAcks: kafkago.RequireAll,
			Records: one}); err != nil || answer.Error != nil {
			n--
		}
	}
	values, keys := handMade(batch)
	begun := time.Now()
	for n := 0; n < kafkaBacklog; n += batch {
		records := make([]kafkago.Record, batch)
		for i := range records {
			records[i] = kafkago.Record{Key: kafkago.NewBytes(keys[i]), Value: kafkago.NewBytes(values[i]),
				Headers: []kafkago.Header{{Key: "content-type", Value: []byte(bridge.ContentTypeStructured)}}}
		}
		answer, err := client.Produce(b.Context(), &kafkago.ProduceRequest{Topic: topic, Partition: n / batch % partitions,
			RequiredAcks: kafkago.RequireAll, Compression: kafkago.Lz4, Records: kafkago.NewRecordReader(records...)})
		if err != nil || answer.Error != nil {
			b.Fatal(err, answer)
		}
	}
	return kafkaBacklog / time.Since(begun).Seconds()
}

// handMade returns so many different events of the size that the backlog has.
func handMade(n int) (values, keys [][]byte) {
	for l := range n {
		e := seeded(l, 7, bridge.MillisOf(time.Now())).Event
		e.Recorded, e.Sequence = bridge.MillisOf(time.Now()), uint64(l)
		values, keys = append(values, e.AppendStructured(nil)), append(keys, []byte(e.PartitionKey()))
	}
	return values, keys
}
