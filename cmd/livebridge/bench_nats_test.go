//go:build brokers

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/transports/nats"
	"livebridge/transports/nats/lease"
	"livebridge/transports/transporttest"
)

// natsPartitions are those of a replica that is not told how many there are.
const natsPartitions = 12

// natsIdentities are in the partition that BenchmarkTakeoverReplicasNATS takes over, besides 100,000 lanes.
const natsIdentities = 200_000

// benchNATS starts three servers of a cluster, each a process of its own, and returns their addresses.
func benchNATS(b *testing.B) string {
	b.Helper()
	var urls, addresses, routes []string
	for range 3 {
		addresses, routes = append(addresses, transporttest.FreeAddress(b)), append(routes, transporttest.FreeAddress(b))
	}
	for n, address := range addresses {
		host, port := hostPort(b, address)
		cmd := exec.Command(os.Args[0], "-a", host, "-p", strconv.Itoa(port), "-js", "-sd", b.TempDir(),
			"-n", fmt.Sprint("n", n), "--cluster_name", "bench", "--cluster", "nats://"+routes[n],
			"--routes", "nats://"+strings.Join(routes, ",nats://"))
		cmd.Env = append(os.Environ(), asBroker+"=1")
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		urls = append(urls, "nats://"+address)
	}
	return strings.Join(urls, ",")
}

// onNATSReplicas starts three servers, and waits until they take streams.
func onNATSReplicas(b *testing.B) *benchedBroker {
	b.Helper()
	url := benchNATS(b)
	conn, err := natsgo.Connect(url, natsgo.RetryOnFailedConnect(true), natsgo.MaxReconnects(-1))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		b.Fatal(err)
	}
	until(b, "the cluster takes streams of three replicas", func() bool { return makeStream(js, "WARM") == nil })
	return &benchedBroker{
		url: url,
		settings: func(name string) []string {
			return []string{prefix + "TRANSPORT=nats", prefix + "NATS_URL=" + url, prefix + "NATS_STREAM=" + name,
				prefix + "NATS_SUBJECT_PREFIX=" + name, prefix + "NATS_REPLICAS=3", prefix + "QUARANTINE_TOPIC="}
		},
		partitions: prefix + "NATS_PARTITIONS=",
		consume: func(ctx context.Context, name string, f func([]byte) error) error {
			o := nats.DefaultOptions()
			o.URL, o.Stream, o.SubjectPrefix = url, name, name
			return nats.Consume(ctx, o, nats.StartAll, func(r nats.Record) error { return f(r.Payload) })
		},
		acknowledge: func(b *testing.B) func(int, []byte) error { return acknowledgedByStream(b, js) },
		remove:      func(b *testing.B, name string) { removeStreams(b, js, name) },
	}
}

// makeStream makes a plain stream of three replicas.
func makeStream(js jetstream.JetStream, name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{name + ".>"}, Replicas: 3})
	return err
}

// acknowledgedByStream returns what sends a message to a stream of its own.
func acknowledgedByStream(b *testing.B, js jetstream.JetStream) func(n int, payload []byte) error {
	b.Helper()
	name := benchName()
	if err := makeStream(js, name); err != nil {
		b.Fatal(err)
	}
	return func(n int, payload []byte) error {
		_, err := js.Publish(b.Context(), fmt.Sprint(name, ".", n), payload)
		return err
	}
}

// removeStreams removes the streams that begin with a name: those that are there cost servers time.
func removeStreams(b *testing.B, js jetstream.JetStream, name string) {
	b.Helper()
	names := js.StreamNames(b.Context())
	for each := range names.Name() {
		if each == name || strings.HasPrefix(each, name+"_") || strings.HasPrefix(each, "KV_"+name+"_") {
			if err := js.DeleteStream(b.Context(), each); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := names.Err(); err != nil {
		b.Fatal(err)
	}
}

// plainly publishes the same events by a plain loop over the client, without waiting for each, and returns how many a
// second are stored by three servers.
func plainly(b *testing.B, url string) float64 {
	b.Helper()
	conn, err := natsgo.Connect(url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(256))
	if err != nil {
		b.Fatal(err)
	}
	name := benchName()
	if err := makeStream(js, name); err != nil {
		b.Fatal(err)
	}
	defer removeStreams(b, js, name)
	values, _ := handMade(kafkaLanes)
	begun, n := time.Now(), 0
	for ; time.Since(begun) < *benchTime; n++ {
		if _, err := js.PublishAsync(fmt.Sprint(name, ".", n%kafkaLanes), values[n%kafkaLanes],
			jetstream.WithStallWait(patience)); err != nil {
			b.Fatal(err)
		}
	}
	<-js.PublishAsyncComplete()
	return float64(n) / time.Since(begun).Seconds()
}

// BenchmarkAcceptReplicasNATS sends callbacks over 64 connections to one replica with INTAKE=broker beside three NATS
// servers, each a process of its own, and publishes as many events by a plain asynchronous loop, and through atomic
// batches and a sourced stream, in turns. It reports the medians of what was answered a second, and of what was
// answered and published, and the ratio of that to the plain loop.
func BenchmarkAcceptReplicasNATS(b *testing.B) {
	broker := onNATSReplicas(b)
	for b.Loop() {
		figures := make(map[string][]float64)
		add := func(name string, value float64) { figures[name] = append(figures[name], value) }
		for range replicaRounds {
			plain := plainly(b, broker.url)
			add("plain-published/s", plain)
			through := throughSource(b, broker.url)
			add("sourced-published/s", through)
			add("sourced-ratio", through/plain)
			for _, partitions := range []int{1, 4, natsPartitions} {
				accepted, published := broker.published(b, partitions)
				name := fmt.Sprint("broker-", partitions)
				add(name+"-accepted/s", accepted)
				add(name+"-published/s", published)
				add(name+"-ratio", published/plain)
			}
		}
		reportMedians(b, figures)
	}
}

// BenchmarkLatencyReplicasNATS does as BenchmarkLatencyReplicas with three NATS servers.
func BenchmarkLatencyReplicasNATS(b *testing.B) { latenciesOfReplicas(b, onNATSReplicas(b)) }

// BenchmarkTakeoverReplicasNATS does as BenchmarkTakeoverReplicas with three NATS servers.
func BenchmarkTakeoverReplicasNATS(b *testing.B) {
	measureTakeovers(b, onNATSReplicas(b), lease.Time, natsIdentities)
}
