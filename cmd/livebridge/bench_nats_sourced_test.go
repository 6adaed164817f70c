//go:build brokers

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// sourcedBatch is how many events throughSource puts into an atomic batch: about as many as a replica commits under
// load.
const sourcedBatch = 100

// throughSource publishes the same events as plainly by a plain loop of atomic batches to one stream, which another one
// sources, and returns how many a second that has: the way of an event of replicas, without anything else that they do.
func throughSource(b *testing.B, url string) float64 {
	b.Helper()
	conn, err := natsgo.Connect(url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		b.Fatal(err)
	}
	name := benchName()
	output := makeSourced(b, js, name)
	defer removeStreams(b, js, name)
	values, _ := handMade(kafkaLanes)
	begun, n := time.Now(), 0
	for time.Since(begun) < *benchTime {
		if err := sendBatch(conn, name, n, values); err != nil {
			b.Fatal(err)
		}
		n += sourcedBatch
	}
	until(b, "all is sourced", func() bool {
		info, err := output.Info(b.Context())
		return err == nil && info.State.Msgs == uint64(n)
	})
	return float64(n) / time.Since(begun).Seconds()
}

// makeSourced makes a stream as the state of replicas is, and one that sources the events in it.
func makeSourced(b *testing.B, js jetstream.JetStream, name string) jetstream.Stream {
	b.Helper()
	state := name + "_STATE"
	for _, c := range []jetstream.StreamConfig{
		{Name: state, Subjects: []string{state + ".>"}, Replicas: 3, Discard: jetstream.DiscardNew, MaxMsgsPerSubject: 1,
			AllowAtomicPublish: true, AllowMsgTTL: true},
		{Name: name, Replicas: 3, Sources: []*jetstream.StreamSource{{Name: state,
			SubjectTransforms: []jetstream.SubjectTransformConfig{
				{Source: state + ".*.*", Destination: name + ".{{wildcard(2)}}"}}}}},
	} {
		if _, err := js.CreateStream(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
	output, err := js.Stream(b.Context(), name)
	if err != nil {
		b.Fatal(err)
	}
	return output
}

// sendBatch sends events from the nth on as one atomic batch, and waits until it is stored.
func sendBatch(conn *natsgo.Conn, name string, n int, values [][]byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for i := range sourcedBatch {
		m := natsgo.NewMsg(fmt.Sprintf("%s_STATE.%d.%d", name, n+i, (n+i)%kafkaLanes))
		m.Data = values[(n+i)%kafkaLanes]
		m.Header.Set("Nats-TTL", "24h")
		m.Header.Set("Nats-Batch-Id", fmt.Sprint(name, "-", n))
		m.Header.Set("Nats-Batch-Sequence", fmt.Sprint(i+1))
		if i < sourcedBatch-1 {
			if err := conn.PublishMsg(m); err != nil {
				return err
			}
			continue
		}
		m.Header.Set("Nats-Batch-Commit", "1")
		answer, err := conn.RequestMsgWithContext(ctx, m)
		if err != nil {
			return err
		}
		var ack jetstream.PubAck
		if err := json.Unmarshal(answer.Data, &ack); err != nil || ack.Sequence == 0 {
			return fmt.Errorf("%s: %w", answer.Data, err)
		}
	}
	return nil
}
