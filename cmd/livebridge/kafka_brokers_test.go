//go:build brokers

package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"livebridge/transports/kafka"
	"livebridge/transports/kafka/kafkatest"
)

// TestBrokersKilled kills three brokers, one after the other, with kill -9 and under load, while the service is
// killed too: nothing is lost, and every lane comes out in order.
func TestBrokersKilled(t *testing.T) {
	c, dir := kafkatest.Start(t, kafkatest.Options{Nodes: 3}), t.TempDir()
	brokers := strings.Join(c.Brokers(), ",")
	p, rounds := newProvider(), make([]int, 8)
	for life := range 3 {
		service := launch(t, dir, prefix+"TRANSPORT=kafka", prefix+"KAFKA_BROKERS="+brokers)
		var work sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		for i := range rounds {
			work.Go(func() {
				for ctx.Err() == nil {
					rounds[i] = p.play(ctx, "http://"+service.listen+"/live/stream", fmt.Sprint("room", i), rounds[i], rounds[i]+1)
					<-time.After(10 * time.Millisecond)
				}
			})
		}
		sent := p.total.Load()
		until(t, "callbacks are answered", func() bool { return p.total.Load() > sent+200 })
		c.Kill(life)
		sent = p.total.Load()
		until(t, "callbacks are answered with a broker away", func() bool { return p.total.Load() > sent+1000 })
		c.Begin(t, life)
		c.Await(t, life)
		cancel()
		work.Wait()
		service.kill()
		service.end(t)
	}
	service := launch(t, dir, prefix+"TRANSPORT=kafka", prefix+"KAFKA_BROKERS="+brokers)
	o := kafka.DefaultOptions()
	o.Brokers = brokers
	p.judgeTopic(t, func(ctx context.Context, out func([]byte) error) error {
		return kafka.Consume(ctx, o, kafka.StartAll, func(r kafka.Record) error { return out(r.Payload) })
	})
	if err := service.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := service.end(t); code != exitDone {
		t.Errorf("it exits with %d\n%s", code, service.log)
	}
}

// TestCommandsWithKafka: the demo runs on a broker that is given and leaves nothing behind; tail prints what comes.
func TestCommandsWithKafka(t *testing.T) {
	broker := kafkatest.Start(t, kafkatest.Options{}).Broker(0)
	vars := map[string]string{prefix + "TRANSPORT": "kafka", prefix + "KAFKA_BROKERS": broker}
	var out bytes.Buffer
	if err := demo(t.Context(), &out, vars); err != nil ||
		!strings.Contains(out.String(), "Kafka topic livebridge.demo.") {
		t.Errorf("%v\n%s", err, &out)
	}
	for name, value := range vars {
		t.Setenv(name, value)
	}
	service := launch(t, t.TempDir(), prefix+"TRANSPORT=kafka", prefix+"KAFKA_BROKERS="+broker)
	p := newProvider()
	p.play(t.Context(), "http://"+service.listen+"/live/stream", "room1", 0, 6)
	n := 0
	lines := tailed(t, broker, func(string) bool { n++; return n == 6 })
	p.judgeLines(t, lines)
}

// TestStopsWithoutKafka: the service starts, accepts and stops without a broker, and its events come out later.
func TestStopsWithoutKafka(t *testing.T) {
	dir := t.TempDir()
	service := launch(t, dir, prefix+"TRANSPORT=kafka", prefix+"KAFKA_BROKERS=127.0.0.1:1", prefix+"SHUTDOWN_GRACE=1s")
	p := newProvider()
	p.play(t.Context(), "http://"+service.listen+"/live/stream", "room1", 0, 20)
	if err := service.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := service.end(t); code != exitDone {
		t.Fatalf("it exits with %d\n%s", code, service.log)
	}
	broker := kafkatest.Start(t, kafkatest.Options{}).Broker(0)
	a := startApp(t, dir, "TRANSPORT", "kafka", "KAFKA_BROKERS", broker)
	stop, ended := runApp(t, a)
	o := a.settings.kafkaOptions(zap.NewNop())
	p.judgeTopic(t, func(ctx context.Context, out func([]byte) error) error {
		return kafka.Consume(ctx, o, kafka.StartAll, func(r kafka.Record) error { return out(r.Payload) })
	})
	stop()
	returns(t, ended)
}
