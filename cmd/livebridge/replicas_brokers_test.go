//go:build brokers

package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"livebridge/transports/kafka"
	"livebridge/transports/kafka/kafkatest"
)

// launchReplica starts a replica on a broker.
func launchReplica(t *testing.T, dir, brokers string, more ...string) *program {
	t.Helper()
	return launch(t, dir, append([]string{prefix + "TRANSPORT=kafka", prefix + "INTAKE=broker",
		prefix + "KAFKA_BROKERS=" + brokers, prefix + "KAFKA_PARTITIONS=4"}, more...)...)
}

// judgeReplicas compares what was answered 200 with what readers of committed records see.
func (p *playedProvider) judgeReplicas(t *testing.T, brokers string) {
	t.Helper()
	o := kafka.DefaultOptions()
	o.Brokers = brokers
	p.judgeTopic(t, func(ctx context.Context, out func([]byte) error) error {
		return kafka.Consume(ctx, o, kafka.StartAll, func(r kafka.Record) error { return out(r.Payload) })
	})
}

// TestReplicas sends the callbacks of each stream to two replicas in turn, as a load balancer does, while one of them
// is killed again and again: all comes out, once and in order.
func TestReplicas(t *testing.T) {
	brokers := strings.Join(kafkatest.Start(t, kafkatest.Options{}).Brokers(), ",")
	dirs := [2]string{t.TempDir(), t.TempDir()}
	urls := [2]atomic.Pointer[string]{}
	var replicas [2]*program
	begin := func(i int) {
		replicas[i] = launchReplica(t, dirs[i], brokers, prefix+"INTAKE_GROUP=team")
		url := "http://" + replicas[i].listen + "/live/stream"
		urls[i].Store(&url)
	}
	begin(0)
	begin(1)
	p := newProvider()
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	for room := range 8 {
		work.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if p.send(ctx, *urls[n%2].Load(), fmt.Sprint("room", room), n) == 0 {
					p.send(ctx, *urls[1].Load(), fmt.Sprint("room", room), n) // as a load balancer does
				}
				<-time.After(10 * time.Millisecond)
			}
		})
	}
	for range 3 {
		sent := p.total.Load()
		until(t, "callbacks are answered", func() bool { return p.total.Load() > sent+500 })
		replicas[0].kill()
		replicas[0].end(t)
		begin(0)
	}
	cancel()
	work.Wait()
	p.judgeReplicas(t, brokers)
	if log := replicas[1].log.String(); !strings.Contains(log, `"group":"team"`) {
		t.Errorf("it takes part in another group:\n%s", log)
	}
	stats, errOut, _ := command(t, dirs[1], "journal", "inspect", "--output", "text")
	if n := strings.Count(stats, "\n"); n != 5 || !strings.Contains(stats, "owner") {
		t.Errorf("inspect prints %s%s", stats, errOut)
	}
	for _, r := range replicas {
		if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if code := r.end(t); code != exitDone {
			t.Errorf("it exits with %d\n%s", code, r.log)
		}
	}
}

// TestReplicaWithoutItsBroker: callbacks keep their 200 while the broker is away, also from the start, and reach it
// later.
func TestReplicaWithoutItsBroker(t *testing.T) {
	c, dir := kafkatest.Start(t, kafkatest.Options{}), t.TempDir()
	brokers := strings.Join(c.Brokers(), ",")
	replica, p := launchReplica(t, dir, brokers), newProvider()
	p.play(t.Context(), "http://"+replica.listen+"/live/stream", "room1", 0, 10)
	c.Kill(0)
	if n := p.play(t.Context(), "http://"+replica.listen+"/live/stream", "room1", 10, 20); n != 20 {
		t.Fatalf("refused at %d while the broker is away", n)
	}
	replica.kill()
	replica.end(t)
	replica = launchReplica(t, dir, brokers)
	if n := p.play(t.Context(), "http://"+replica.listen+"/live/stream", "room1", 20, 30); n != 30 {
		t.Fatalf("refused at %d by a replica that has not found the broker yet", n)
	}
	c.Begin(t, 0)
	c.Await(t, 0)
	p.judgeReplicas(t, brokers)
	if err := replica.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := replica.end(t); code != exitDone {
		t.Errorf("it exits with %d\n%s", code, replica.log)
	}
}

// TestReplicaRefuses: with INTAKE_FALLBACK=refuse a callback that the broker does not acknowledge is answered 503.
func TestReplicaRefuses(t *testing.T) {
	replica := launchReplica(t, t.TempDir(), "127.0.0.1:1", prefix+"INTAKE_FALLBACK=refuse", prefix+"INTAKE_BUDGET=100ms")
	if status := newProvider().send(t.Context(), "http://"+replica.listen+"/live/stream", "room1", 0); status != 503 {
		t.Errorf("answered %d without a broker", status)
	}
}
