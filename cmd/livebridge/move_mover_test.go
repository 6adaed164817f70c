package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kfake"

	"livebridge/transports/kafka"
	"livebridge/transports/nats"
	"livebridge/transports/nats/natstest"
)

// onBoth runs a test of a service whose INTAKE changes on both brokers.
func onBoth(t *testing.T, test func(*mover)) {
	for name, start := range map[string]func(*testing.T) *mover{"kafka": moverOnKfake, "nats": moverOnNATS} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(start(t))
		})
	}
}

// newMover returns a service that has not begun. at is where its replicas publish, as the memory's mark names it.
func newMover(t *testing.T, at string, settings ...string) *mover {
	return &mover{t: t, provider: newProvider(), dir: t.TempDir(), other: t.TempDir(), settings: settings, at: at}
}

func moverOnKfake(t *testing.T) *mover {
	t.Helper()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	return moverOn(t, broker.ListenAddrs()[0])
}

// moverOn publishes to the same topic with any INTAKE.
func moverOn(t *testing.T, brokers string) *mover {
	m := newMover(t, "Kafka topic live.events", prefix+"TRANSPORT=kafka", prefix+"KAFKA_BROKERS="+brokers,
		prefix+"KAFKA_PARTITIONS="+fmt.Sprint(movedPartitions))
	o := kafka.DefaultOptions()
	o.Brokers = brokers
	m.consume = func(ctx context.Context, f func([]byte) error) error {
		return kafka.Consume(ctx, o, kafka.StartAll, func(r kafka.Record) error { return f(r.Payload) })
	}
	return m
}

// moverOnNATS publishes to one stream with INTAKE=local, and to another with INTAKE=broker.
func moverOnNATS(t *testing.T) *mover {
	t.Helper()
	s := natstest.Start(t, &server.Options{})
	m := newMover(t, "NATS JetStream stream SHARED", prefix+"TRANSPORT=nats", prefix+"NATS_URL="+s.URL,
		prefix+"NATS_PARTITIONS="+fmt.Sprint(movedPartitions), prefix+"QUARANTINE_TOPIC=")
	m.local, m.shared = []string{prefix + "NATS_STREAM=LOCAL"}, []string{prefix + "NATS_STREAM=SHARED"}
	js := s.JetStream(t)
	m.consume = func(ctx context.Context, f func([]byte) error) error {
		_, err := js.Stream(ctx, "LOCAL")
		if err == nil {
			for _, r := range natstest.Records(t, js, "LOCAL") {
				err = errors.Join(err, f(r.Payload))
			}
		}
		if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return err
		}
		o := nats.DefaultOptions()
		o.URL, o.Stream = s.URL, "SHARED"
		return nats.Consume(ctx, o, nats.StartAll, func(r nats.Record) error { return f(r.Payload) })
	}
	return m
}
