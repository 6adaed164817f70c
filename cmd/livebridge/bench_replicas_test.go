//go:build brokers

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// replicaRounds is how often each of what is compared has its turn.
const replicaRounds = 5

// benchNumber makes the names of topics and streams that nothing else has.
var benchNumber int

// benchName returns a name that nothing else has.
func benchName() string {
	benchNumber++
	return fmt.Sprint("bench", benchNumber)
}

// benchedBroker is a broker that benchmarks run replicas on.
type benchedBroker struct {
	url        string                     // of its servers
	process    int                        // of the server, where there is one
	settings   func(name string) []string // of a program whose topics, or streams, have this name
	partitions string                     // the setting that says how many an intake has

	// consume calls f for what was committed to the output, until f returns an error, and returns that.
	consume func(ctx context.Context, name string, f func(payload []byte) error) error
	// acknowledge returns what has the broker acknowledge a message that has nothing to do with replicas.
	acknowledge func(b *testing.B) (send func(n int, payload []byte) error)
	// remove removes what has this name; nil: it harms nobody.
	remove func(b *testing.B, name string)
}

// onKafkaReplicas starts one real broker that has worked for replicas for a while, too.
func onKafkaReplicas(b *testing.B) *benchedBroker {
	b.Helper()
	cluster := benchCluster(b)
	address := cluster.Broker(0)
	k := &benchedBroker{
		url: address, process: cluster.Process(0),
		settings: func(name string) []string {
			return []string{prefix + "TRANSPORT=kafka", prefix + "KAFKA_BROKERS=" + address, prefix + "KAFKA_TOPIC=" + name}
		},
		partitions: prefix + "KAFKA_PARTITIONS=",
		consume: func(ctx context.Context, name string, f func([]byte) error) error {
			return consumeCommitted(ctx, address, name, func(r *kgo.Record) error { return f(r.Value) })
		},
		acknowledge: func(b *testing.B) func(int, []byte) error { return acknowledgedBy(b, address) },
	}
	for range warmUp {
		r := k.replica(b, benchName(), kafkaPartitions)
		ownedBy(b, kafkaPartitions, r)
		throughput(b, "livebridge_partition_events_total", r)
		r.kill()
		r.end(b)
	}
	return k
}

// program starts the program as a process of its own, with the product's settings but for those given.
func (k *benchedBroker) program(b *testing.B, name string, settings ...string) *program {
	b.Helper()
	all := append(k.settings(name), prefix+"HOLD_DONE=10s", prefix+"HOLD_NEXT=3s")
	return launch(b, b.TempDir(), append(all, settings...)...)
}

// replica starts a replica with a number of partitions.
func (k *benchedBroker) replica(b *testing.B, name string, partitions int) *program {
	b.Helper()
	return k.program(b, name, prefix+"INTAKE=broker", prefix+"INTAKE_GROUP="+name, fmt.Sprint(k.partitions, partitions))
}

// published measures one replica with so many partitions under full load, and ends it.
func (k *benchedBroker) published(b *testing.B, partitions int) (accepted, published float64) {
	b.Helper()
	name := benchName()
	r := k.replica(b, name, partitions)
	ownedBy(b, partitions, r)
	accepted, published = throughput(b, "livebridge_partition_events_total", r)
	r.kill()
	r.end(b)
	if k.remove != nil {
		k.remove(b, name)
	}
	return accepted, published
}

// ownedBy waits until replicas own all partitions between them.
func ownedBy(b *testing.B, partitions int, replicas ...*program) {
	b.Helper()
	until(b, "all partitions are owned", func() bool {
		return summed(b, replicas, "livebridge_partition_owned") == float64(partitions)
	})
}

// summed returns the sum of a metric over all labels and replicas.
func summed(b *testing.B, replicas []*program, name string) (total float64) {
	b.Helper()
	for _, r := range replicas {
		for series, value := range r.metrics(b) {
			if series == name || strings.HasPrefix(series, name+"{") {
				total += value
			}
		}
	}
	return total
}

// throughput sends to the replicas for a while, as fast as they answer, and returns the callbacks a second that were
// answered, and those that were published by the time that all of them were.
func throughput(b *testing.B, metric string, replicas ...*program) (accepted, published float64) {
	b.Helper()
	begun := time.Now()
	var addresses []string
	for _, r := range replicas {
		addresses = append(addresses, r.listen)
	}
	accepted, answered := load64(b, addresses...)
	n := len(answered)
	until(b, "all is published", func() bool { return summed(b, replicas, metric) >= float64(n) })
	return accepted, float64(n) / time.Since(begun).Seconds()
}

// BenchmarkAcceptReplicas sends callbacks over 64 connections to a program with INTAKE=local and to one replica with
// INTAKE=broker, in turns, each a process of its own beside the same real broker, and reports the medians of what was
// answered a second, and of what was answered and published, and the ratios of the second.
func BenchmarkAcceptReplicas(b *testing.B) {
	broker := onKafkaReplicas(b)
	for b.Loop() {
		figures := make(map[string][]float64)
		add := func(name string, value float64) { figures[name] = append(figures[name], value) }
		for range replicaRounds {
			local := broker.program(b, benchName())
			accepted, published := throughput(b, "livebridge_events_published_total", local)
			local.kill()
			local.end(b)
			add("local-accepted/s", accepted)
			add("local-published/s", published)
			for _, partitions := range []int{1, 4, 12} {
				a, p := broker.published(b, partitions)
				name := fmt.Sprint("broker-", partitions)
				add(name+"-accepted/s", a)
				add(name+"-published/s", p)
				add(name+"-ratio", p/published)
			}
		}
		reportMedians(b, figures)
	}
}

// reportMedians reports the median of each figure, and logs all of them.
func reportMedians(b *testing.B, figures map[string][]float64) {
	for _, name := range slices.Sorted(maps.Keys(figures)) {
		b.Logf("%s: %.1f", name, figures[name])
		b.ReportMetric(median(figures[name]), name)
	}
}
