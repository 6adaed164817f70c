//go:build brokers

package main

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"livebridge/bridge"
	"livebridge/transports/kafka/kafkatest"
)

// warmUp is how many rounds it takes until the broker's code is compiled: a record costs it a fifth of what it does in
// the first, and a broker of a user has been running for days.
const warmUp = 4

// benchBroker starts one real broker and brings it to work as one does that has been running for a while.
func benchBroker(b *testing.B) string { return benchCluster(b).Broker(0) }

func benchCluster(b *testing.B) *kafkatest.Cluster {
	cluster := kafkatest.Start(b, kafkatest.Options{JVM: []string{"-Xmx512m"}})
	warm := bridgeVariant("warm-up", onKafka(cluster.Broker(0), "warm.up"))
	for range warmUp {
		warm.measure(b)
	}
	return cluster
}

// onKafka makes a topic for each launch.
func onKafka(broker, topic string) func(*testing.B, int) []string {
	return func(_ *testing.B, launch int) []string {
		return []string{"TRANSPORT", "kafka", "KAFKA_BROKERS", broker, "KAFKA_TOPIC", fmt.Sprint(topic, ".", launch)}
	}
}

// BenchmarkAcceptKafka does as BenchmarkAccept with one real broker, on the same machine. The bare handlers run beside
// that broker too.
func BenchmarkAcceptKafka(b *testing.B) {
	broker := benchBroker(b)
	for b.Loop() {
		variants := []*variant{limitVariant("verify"), limitVariant("synced"), bridgeVariant("kafka", onKafka(broker, "a"))}
		if *otherProgram != "" {
			variants = append(variants, bridgeVariant("other", onKafka(broker, "b")).runs(*otherProgram))
		}
		compare(b, variants)
	}
}

// BenchmarkLatencyKafka does as BenchmarkLatency with one real broker. From the 200 to a consumer p99 is 12 to 25 ms,
// on a busy machine 60 ms.
func BenchmarkLatencyKafka(b *testing.B) {
	tuneRuntime()
	broker := benchBroker(b)
	for b.Loop() {
		a, stop := benchApp(b, "TRANSPORT", "kafka", "KAFKA_BROKERS", broker)
		answered, consumed := latencies(b, 1000, urlOf(a), consumerOf(a.transport, a.transport.url()))
		b.ReportMetric(quantile(answered, 0.99), "ms-to-200-p99")
		b.ReportMetric(quantile(consumed, 0.99), "ms-200-to-consumer-p99")
		stop()
	}
}

const (
	kafkaLanes      = 1000
	kafkaPartitions = 12
)

// BenchmarkBacklogKafka publishes a backlog of a million events that lies on disk to one real broker with the whole
// program, and as many by hand, in batches of 100 (the size that the client's own writer has) and of 500, in turns. The
// first turn does not count.
//
// On two shared cores, the broker included, and beginning right after a restart: 198,000 to 222,000 events a second,
// 0.72 to 0.78 of a plain loop over kafka-go that sends batches of 100 ready-made events (264,000 to 295,000), 0.35 to
// 0.47 of one that sends batches of 500 (470,000 to 608,000).
func BenchmarkBacklogKafka(b *testing.B) {
	broker, dir := benchBroker(b), b.TempDir()
	j := openBench(b, dir)
	seed(b, j, kafkaLanes, backlog/kafkaLanes)
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		var ours, hundreds, fiveHundreds []float64
		for n := range 1 + benchRounds {
			ours = append(ours, drained(b, dir, broker, fmt.Sprint("backlog.", n)))
			hundreds = append(hundreds, byHand(b, broker, fmt.Sprint("hundreds.", n), 100))
			fiveHundreds = append(fiveHundreds, byHand(b, broker, fmt.Sprint("five.hundreds.", n), 500))
		}
		rate := median(ours[1:])
		b.ReportMetric(rate, "drained/s")
		b.ReportMetric(median(hundreds[1:]), "by-hundreds/s")
		b.ReportMetric(median(fiveHundreds[1:]), "by-500s/s")
		b.ReportMetric(rate/median(hundreds[1:]), "ratio-to-hundreds")
		b.ReportMetric(rate/median(fiveHundreds[1:]), "ratio-to-500s")
	}
}

// drained starts the program on a copy of an outbox with a backlog and returns how many events a second go out.
func drained(b *testing.B, seeded, broker, topic string) float64 {
	dir := b.TempDir()
	if err := os.CopyFS(dir, os.DirFS(seeded)); err != nil {
		b.Fatal(err)
	}
	makeTopic(b, broker, topic)
	service := launch(b, dir, prefix+"TRANSPORT=kafka", prefix+"KAFKA_BROKERS="+broker, prefix+"KAFKA_TOPIC="+topic)
	begun := time.Now()
	for service.metrics(b)["livebridge_outbox_events"] > 0 {
		<-time.After(100 * time.Millisecond)
	}
	rate := backlog / time.Since(begun).Seconds()
	service.signal(b, syscall.SIGTERM)
	service.end(b)
	return rate
}

// makeTopic makes a topic, waits until every partition accepts records, which a new one does not for a moment, and
// returns a client that knows it.
func makeTopic(b *testing.B, broker, topic string) *kafkago.Client {
	client := &kafkago.Client{Addr: kafkago.TCP(broker), Transport: &kafkago.Transport{}, Timeout: 10 * time.Second}
	answer, err := client.CreateTopics(b.Context(), &kafkago.CreateTopicsRequest{
		Topics: []kafkago.TopicConfig{{Topic: topic, NumPartitions: kafkaPartitions, ReplicationFactor: 1}}})
	if err != nil || answer.Errors[topic] != nil {
		b.Fatal(err, answer)
	}
	for partition := 0; partition < kafkaPartitions; {
		if produce(b, client, topic, partition, []kafkago.Record{{Value: kafkago.NewBytes([]byte("{}"))}}) == nil {
			partition++
		}
	}
	return client
}

// byHand publishes as many events by a plain loop over the client and returns how many a second it does. Their bytes
// are ready in memory; the loop puts each into the batch of its key's partition, and sends that when it has so many,
// compressed as ours is, with acks=all, before it goes on.
func byHand(b *testing.B, broker, topic string, size int) float64 {
	client := makeTopic(b, broker, topic)
	values, keys := handMade(kafkaLanes)
	headers := []kafkago.Header{{Key: "content-type", Value: []byte(bridge.ContentTypeStructured)}}
	var batches [kafkaPartitions][]kafkago.Record
	var numbers []int
	for n := range batches {
		numbers = append(numbers, n)
	}
	send := func(to int) {
		if err := produce(b, client, topic, to, batches[to]); err != nil {
			b.Fatal(err)
		}
		batches[to] = batches[to][:0]
	}
	begun := time.Now()
	for n := range backlog {
		key, value := keys[n%kafkaLanes], values[n%kafkaLanes]
		to := kafkago.Murmur2Balancer{Consistent: true}.Balance(kafkago.Message{Key: key}, numbers...)
		batches[to] = append(batches[to], kafkago.Record{Key: kafkago.NewBytes(key), Value: kafkago.NewBytes(value),
			Headers: headers})
		if len(batches[to]) == size {
			send(to)
		}
	}
	for to := range batches {
		if len(batches[to]) > 0 {
			send(to)
		}
	}
	return backlog / time.Since(begun).Seconds()
}

// produce sends one batch.
func produce(b *testing.B, client *kafkago.Client, topic string, partition int, records []kafkago.Record) error {
	answer, err := client.Produce(b.Context(), &kafkago.ProduceRequest{Topic: topic, Partition: partition,
		RequiredAcks: kafkago.RequireAll, Compression: kafkago.Lz4, Records: kafkago.NewRecordReader(records...)})
	if err != nil {
		return err
	}
	return answer.Error
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
