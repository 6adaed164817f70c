//go:build brokers

package kafka

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/transports/kafka/kafkatest"
	"livebridge/transports/transporttest"
)

// TestContractBrokers runs the contract against three real brokers. Stopping the broker kills all of them.
func TestContractBrokers(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.Options{Nodes: 3})
	n := 0
	h := contract(func(t *testing.T, o Options) *transporttest.Topic {
		n++
		o.Topic, o.Quarantine = fmt.Sprint("events-", n), fmt.Sprint("quarantine-", n)
		return realTopic(t, c, o)
	})
	h.Restart = 30 * time.Second
	transporttest.Run(t, h)
	transporttest.RunConsumer(t, h)
}

func realTopic(t *testing.T, c *kafkatest.Cluster, o Options) *transporttest.Topic {
	o.Brokers = joined(c.Brokers())
	return &transporttest.Topic{
		Publisher:  dial(t, o),
		Events:     func(t *testing.T) []transporttest.Record { return contents(t, c.Brokers(), o.Topic) },
		Quarantine: func(t *testing.T) []transporttest.Record { return contents(t, c.Brokers(), o.Quarantine) },
		Consume:    consumes(o),
		Foreign:    foreign(c.Brokers(), o.Topic),
		Stop: func(*testing.T) {
			for i := range c.Brokers() {
				c.Kill(i)
			}
		},
		Start: func(t *testing.T) {
			for i := range c.Brokers() {
				c.Begin(t, i)
			}
			for i := range c.Brokers() {
				c.Await(t, i)
			}
		},
	}
}

// TestFaultsOfBrokers does to three real brokers what happens to brokers.
func TestFaultsOfBrokers(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.Options{Nodes: 3})
	open := func(t *testing.T, change func(*Options)) (*Publisher, Options) {
		o := testOptions()
		o.Brokers, o.Topic, o.Quarantine, o.Compression = joined(c.Brokers()), strings.ReplaceAll(t.Name(), "/", "."), "",
			"lz4"
		if change != nil {
			change(&o)
		}
		return dial(t, o), o
	}
	exactly := func(t *testing.T, o Options, want []*bridge.Event) {
		t.Helper()
		got := contents(t, c.Brokers(), o.Topic)
		transporttest.CheckLanes(t, got, want)
		if len(got) != len(want) {
			t.Errorf("the topic has %d records of %d events", len(got), len(want))
		}
	}
	t.Run("leaders-killed", func(t *testing.T) {
		p, o := open(t, nil)
		want := transporttest.Events(60, 1, 1)
		transporttest.Deliver(t, p, want)
		for i := range 2 {
			more := transporttest.Events(60, uint64(2+100*i), 100)
			want = append(want, more...)
			var load sync.WaitGroup
			load.Go(func() { transporttest.Deliver(t, p, more) })
			<-time.After(50 * time.Millisecond)
			c.Kill(i)
			load.Wait()
			c.Begin(t, i)
			c.Await(t, i)
		}
		exactly(t, o, want)
	})
	t.Run("not-enough-replicas", func(t *testing.T) {
		p, o := open(t, nil)
		transporttest.Deliver(t, p, transporttest.Events(20, 1, 1))
		c.Kill(0)
		c.Kill(1)
		if err := failure(t, p); err == nil {
			t.Error("one broker of three took an event that two must have")
		}
		c.Begin(t, 0)
		c.Begin(t, 1)
		transporttest.Deliver(t, p, transporttest.Events(20, 1, 5))
		transporttest.CheckLanes(t, contents(t, c.Brokers(), o.Topic), transporttest.Events(20, 1, 5))
	})
	t.Run("sequence-wraps", func(t *testing.T) {
		p, o := open(t, func(o *Options) { o.firstSequence = math.MaxInt32 - 5 })
		want := transporttest.Events(40, 1, 8)
		transporttest.Deliver(t, p, want)
		exactly(t, o, want)
		for _, part := range p.topics.of(o.Topic).layout.Load().partitions {
			if next := p.producer.State(part).NextSequence; next > 1000 {
				t.Errorf("partition %d has not wrapped: %d", part.Number(), next)
			}
		}
	})
	for _, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		t.Run("compression-"+compression, func(t *testing.T) {
			p, o := open(t, func(o *Options) { o.Compression = compression })
			want := transporttest.Events(20, 1, 3)
			transporttest.Deliver(t, p, want)
			exactly(t, o, want)
		})
	}
	t.Run("too-large", func(t *testing.T) {
		p, o := open(t, func(o *Options) { o.Partitions, o.Compression = 1, "none" })
		transporttest.Deliver(t, p, transporttest.Events(1, 1, 1))
		setConfig(t, c.Brokers(), o.Topic, "max.message.bytes", "20000") // under our feet
		accepted := untilTooLarge(t, p)
		transporttest.Deliver(t, p, transporttest.Events(1, 2, 5))
		exactly(t, o, append(transporttest.Events(1, 1, 6), accepted...))
	})
	t.Run("throttled", func(t *testing.T) {
		core, logs := observer.New(zapcore.WarnLevel)
		p, o := open(t, func(o *Options) { o.Compression, o.Log = "none", zap.New(core) })
		want := transporttest.Events(100, 1, 1)
		transporttest.Deliver(t, p, want)
		quota(t, c, 10_000)
		defer quota(t, c, 1e9)
		for n := uint64(2); logs.FilterMessageSnippet("quota").Len() == 0; n++ {
			more := transporttest.Events(100, n, 1)
			transporttest.Deliver(t, p, more)
			if want = append(want, more...); n > 500 {
				t.Fatal("the quota was not felt")
			}
		}
		exactly(t, o, want)
	})
	for name, run := range changes() {
		t.Run(name, func(t *testing.T) {
			core, logs := observer.New(zapcore.InfoLevel)
			p, o := open(t, func(o *Options) {
				addTopic(t, c, strings.ReplaceAll(t.Name(), "/", "."), 12)
				o.Create, o.Compression, o.Log, o.checkInterval = false, "none", zap.New(core), time.Second
			})
			run(t, c.Brokers(), p, o, logs)
		})
	}
	t.Run("java-partitions", func(t *testing.T) { javaPartitions(t, c) })
}

// untilTooLarge publishes large events until the topic rejects one, and returns those that it accepted.
func untilTooLarge(t *testing.T, p *Publisher) (accepted []*bridge.Event) {
	t.Helper()
	for n := uint64(1); ; n++ {
		large := transporttest.Events(1, n, 1)[0]
		large.Lane.Stream, large.Data = "large", fmt.Appendf(nil, "%q", strings.Repeat("x", 30_000))
		answer := make(chan error, 1)
		p.Publish(large, func(err error) { answer <- err })
		switch err := <-answer; {
		case bridge.IsRejected(err):
			return accepted
		case err != nil || n > 1000:
			t.Fatalf("event %d that is too large was answered %v", n, err)
		}
		accepted = append(accepted, large)
	}
}

func admin(c *kafkatest.Cluster) *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(c.Brokers()...), Transport: &kafka.Transport{}, Timeout: 10 * time.Second}
}

// quota limits what our client may send to each broker, in bytes a second.
func quota(t *testing.T, c *kafkatest.Cluster, rate float64) {
	t.Helper()
	answer, err := admin(c).AlterClientQuotas(t.Context(),
		&kafka.AlterClientQuotasRequest{Entries: []kafka.AlterClientQuotaEntry{{
			Entities: []kafka.AlterClientQuotaEntity{{EntityType: "client-id", EntityName: "livebridge"}},
			Ops:      []kafka.AlterClientQuotaOps{{Key: "producer_byte_rate", Value: rate}},
		}}})
	if err != nil || answer.Entries[0].Error != nil {
		t.Fatal(err, answer)
	}
}

// javaPartitions has the Java client's producer send the golden keys and checks their partitions.
func javaPartitions(t *testing.T, c *kafkatest.Cluster) {
	for i, n := range []int{12, 7} {
		topic := fmt.Sprint("java-", n)
		answer, err := admin(c).CreateTopics(t.Context(), &kafka.CreateTopicsRequest{
			Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: n, ReplicationFactor: -1}}})
		if err != nil || answer.Errors[topic] != nil {
			t.Fatal(err, answer.Errors)
		}
		args := []string{joined(c.Brokers()), topic}
		for key := range goldenPartitions() {
			args = append(args, key)
		}
		source, err := filepath.Abs(filepath.Join("testdata", "Produce.java"))
		if err != nil {
			t.Fatal(err)
		}
		out, err := kafkatest.Java(t, kafkatest.Classpath(t), []string{"-XX:TieredStopAtLevel=1"}, source, args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if len(lines) != len(goldenPartitions()) {
			t.Fatalf("the producer printed %s", out)
		}
		for _, line := range lines {
			key, number, _ := strings.Cut(line, " ")
			if got, err := strconv.Atoi(number); err != nil || got != goldenPartitions()[key][i] {
				t.Errorf("the Java client sends key %q to partition %s of %d, and we to %d", key, number, n,
					goldenPartitions()[key][i])
			}
		}
	}
}
