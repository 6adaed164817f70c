package main

import (
	"strings"
	"testing"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// tracedMessage is a message as a consumer of others gets it.
type tracedMessage struct{ topic, parent, state, payload string }

// beginOnNATS is the embedded server.
func beginOnNATS(*testing.T) ([]string, func(*testing.T, *program) []tracedMessage) {
	return nil, func(t *testing.T, service *program) (all []tracedMessage) {
		t.Helper()
		conn, err := natsgo.Connect(service.nats)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		js, err := jetstream.New(conn)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"LIVE_EVENTS", "LIVE_QUARANTINE"} {
			stream, err := js.Stream(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			for n := uint64(1); n <= stream.CachedInfo().State.LastSeq; n++ {
				m, err := stream.GetMsg(t.Context(), n)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, tracedMessage{name, m.Header.Get("traceparent"), m.Header.Get("tracestate"), string(m.Data)})
			}
		}
		return all
	}
}

// beginOnKafka is a broker in this process.
func beginOnKafka(t *testing.T) ([]string, func(*testing.T, *program) []tracedMessage) {
	t.Helper()
	cluster, err := kfake.NewCluster()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	brokers := cluster.ListenAddrs()
	settings := []string{prefix + "TRANSPORT=kafka", prefix + "KAFKA_BROKERS=" + strings.Join(brokers, ",")}
	return settings, func(t *testing.T, _ *program) (all []tracedMessage) {
		t.Helper()
		client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics("live.events", "live.quarantine"),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		for len(all) < 3 {
			fetches := client.PollFetches(t.Context())
			if err := fetches.Err(); err != nil {
				t.Fatal(err)
			}
			fetches.EachRecord(func(r *kgo.Record) {
				headers := make(map[string]string)
				for _, h := range r.Headers {
					headers[h.Key] = string(h.Value)
				}
				all = append(all, tracedMessage{r.Topic, headers["traceparent"], headers["tracestate"], string(r.Value)})
			})
		}
		return all
	}
}
