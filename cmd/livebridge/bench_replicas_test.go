//go:build brokers

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// replicaRounds is how often each of what is compared has its turn.
const replicaRounds = 5

// benchNumber makes the names of topics that nothing else has.
var benchNumber int

// benchProgram starts the program as a process of its own, on a topic of its own unless one is given, with the
// product's settings but for those given.
func benchProgram(b *testing.B, brokers string, settings ...string) *program {
	b.Helper()
	benchNumber++
	all := []string{prefix + "TRANSPORT=kafka", prefix + "KAFKA_BROKERS=" + brokers, prefix + "HOLD_DONE=10s",
		prefix + "HOLD_NEXT=3s", fmt.Sprint(prefix, "KAFKA_TOPIC=bench.", benchNumber)}
	return launch(b, b.TempDir(), append(all, settings...)...)
}

// benchReplica starts a replica with a number of partitions.
func benchReplica(b *testing.B, brokers string, partitions int, settings ...string) *program {
	b.Helper()
	return benchProgram(b, brokers, append([]string{prefix + "INTAKE=broker",
		fmt.Sprint(prefix, "INTAKE_GROUP=bench.", benchNumber+1),
		fmt.Sprint(prefix, "KAFKA_PARTITIONS=", partitions)}, settings...)...)
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
	broker := benchBroker(b)
	for b.Loop() {
		figures := make(map[string][]float64)
		for range replicaRounds {
			local := benchProgram(b, broker)
			accepted, published := throughput(b, "livebridge_events_published_total", local)
			local.kill()
			local.end(b)
			figures["local-accepted/s"] = append(figures["local-accepted/s"], accepted)
			figures["local-published/s"] = append(figures["local-published/s"], published)
			for _, partitions := range []int{1, 4, 12} {
				replica := benchReplica(b, broker, partitions)
				ownedBy(b, partitions, replica)
				a, p := throughput(b, "livebridge_partition_events_total", replica)
				replica.kill()
				replica.end(b)
				name := fmt.Sprint("broker-", partitions)
				figures[name+"-accepted/s"] = append(figures[name+"-accepted/s"], a)
				figures[name+"-published/s"] = append(figures[name+"-published/s"], p)
				figures[name+"-ratio"] = append(figures[name+"-ratio"], p/published)
			}
		}
		for name, values := range figures {
			b.ReportMetric(median(values), name)
		}
		b.Logf("%v", figures)
	}
}

// BenchmarkScaleReplicas reports the callbacks a second that are answered and published, by partitions and replicas.
func BenchmarkScaleReplicas(b *testing.B) {
	broker := benchBroker(b)
	for b.Loop() {
		figures := make(map[string][]float64)
		for range benchRounds {
			for _, partitions := range []int{1, 2, 4, 8} {
				for _, count := range []int{1, 2, 3} {
					if count > partitions {
						continue
					}
					name := fmt.Sprintf("p%d-r%d-published/s", partitions, count)
					figures[name] = append(figures[name], scaledTo(b, broker, partitions, count))
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(figures)) {
			b.ReportMetric(median(figures[name]), name)
		}
	}
}

// scaledTo measures so many replicas with so many partitions.
func scaledTo(b *testing.B, broker string, partitions, count int) float64 {
	b.Helper()
	var replicas []*program
	topic := fmt.Sprint("scale.", benchNumber)
	for range count {
		replicas = append(replicas, benchReplica(b, broker, partitions, prefix+"KAFKA_TOPIC="+topic,
			prefix+"INTAKE_GROUP="+topic))
	}
	ownedBy(b, partitions, replicas...)
	_, published := throughput(b, "livebridge_partition_events_total", replicas...)
	for _, r := range replicas {
		r.kill()
		r.end(b)
	}
	return published
}
