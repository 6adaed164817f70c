//go:build brokers

package main

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// BenchmarkLatencyReplicas sends 500 callbacks a second to a program with INTAKE=local and to one replica with
// INTAKE=broker, in turns, each a process of its own beside the same real broker, and reports the time to 200, the time
// from the 200 to a consumer of committed records with a client that is not ours, and the time that the broker takes to
// acknowledge a record that has nothing to do with it, meanwhile.
func BenchmarkLatencyReplicas(b *testing.B) { latenciesOfReplicas(b, onKafkaReplicas(b)) }

func latenciesOfReplicas(b *testing.B, broker *benchedBroker) {
	for b.Loop() {
		figures := make(map[string][]float64)
		for range benchRounds {
			name := benchName()
			broker.addLatencies(b, figures, "local", name, broker.program(b, name))
			name = benchName()
			replica := broker.replica(b, name, kafkaPartitions)
			ownedBy(b, kafkaPartitions, replica)
			broker.addLatencies(b, figures, "broker", name, replica)
		}
		reportMedians(b, figures)
	}
}

// addLatencies measures a program, which it ends.
func (k *benchedBroker) addLatencies(b *testing.B, figures map[string][]float64, kind, name string, p *program) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	acknowledged := acknowledgements(ctx, b, k.acknowledge(b))
	answered, consumed := latencies(b, 500, "http://"+p.listen+"/live/stream",
		func(ctx context.Context, f func(message) error) error {
			return k.consume(ctx, name, func(payload []byte) error { return f(message{payload: payload}) })
		})
	cancel()
	p.kill()
	p.end(b)
	if k.remove != nil {
		k.remove(b, name)
	}
	ack := acknowledged()
	for _, m := range []struct {
		name   string
		values []float64
	}{{"ms-to-200", answered}, {"ms-200-to-consumer", consumed}, {"ms-acknowledged", ack}} {
		for _, q := range []float64{0.5, 0.99} {
			of := fmt.Sprintf("%s-%s-p%.0f", kind, m.name, 100*q)
			figures[of] = append(figures[of], quantile(m.values, q))
		}
	}
	of := kind + "-200-to-acknowledged-p99"
	figures[of] = append(figures[of], quantile(answered, 0.99)/quantile(ack, 0.99))
}

// acknowledgements has the broker acknowledge a message of the size of a callback again and again until the context
// ends, and returns what then returns the times in milliseconds.
func acknowledgements(ctx context.Context, b *testing.B, send func(n int, payload []byte) error) func() []float64 {
	b.Helper()
	value := benchBody(0, time.Now().Unix(), 0)
	var took []float64
	var work sync.WaitGroup
	work.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			begun := time.Now()
			if err := send(n, value); err != nil {
				b.Error(err)
				return
			}
			took = append(took, float64(time.Since(begun).Microseconds())/1000)
			<-time.After(10 * time.Millisecond)
		}
	})
	return func() []float64 { work.Wait(); return took }
}

// acknowledgedBy returns what sends a record to a topic of its own.
func acknowledgedBy(b *testing.B, broker string) func(n int, payload []byte) error {
	b.Helper()
	topic := benchName()
	client := makeTopic(b, broker, topic)
	return func(n int, payload []byte) error {
		return produce(b, client, topic, n%kafkaPartitions, []kafkago.Record{{Value: kafkago.NewBytes(payload)}})
	}
}

// consumeCommitted reads the committed records of a topic from its beginning, until f returns an error, and returns
// that.
func consumeCommitted(ctx context.Context, broker, topic string, f func(*kgo.Record) error) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(topic),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return err
	}
	defer client.Close()
	for ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		fetches.EachRecord(func(r *kgo.Record) {
			if err == nil {
				err = f(r)
			}
		})
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
