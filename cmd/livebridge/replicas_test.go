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

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/transports/nats"
	"livebridge/transports/nats/natstest"
)

// replicaBroker is what replicas of a test share.
type replicaBroker struct {
	settings []string
	begin    func() // after kill
	kill     func()
	consume  func(ctx context.Context, out func(payload []byte) error) error
}

func (b *replicaBroker) launch(t *testing.T, dir string, more ...string) *program {
	t.Helper()
	return launch(t, dir, append(append([]string{prefix + "INTAKE=broker"}, b.settings...), more...)...)
}

// natsBroker is a NATS server.
func natsBroker(t *testing.T) *replicaBroker {
	t.Helper()
	s := natstest.Start(t, &server.Options{})
	b := natsReplicas(s.URL)
	b.begin, b.kill = func() { s.Restart(t) }, s.Kill
	return b
}

// natsReplicas is what replicas on NATS servers share.
func natsReplicas(urls string) *replicaBroker {
	o := nats.DefaultOptions()
	o.URL = urls
	return &replicaBroker{
		settings: []string{prefix + "TRANSPORT=nats", prefix + "NATS_URL=" + urls},
		consume: func(ctx context.Context, out func([]byte) error) error {
			return nats.Consume(ctx, o, nats.StartAll, func(r nats.Record) error { return out(r.Payload) })
		},
	}
}

// TestReplicas runs replicas on NATS as processes of their own.
func TestReplicas(t *testing.T) {
	t.Parallel()
	killReplicas(t, natsBroker(t), 12)
}

// TestReplicaWithoutItsBroker does the same with a server that goes away.
func TestReplicaWithoutItsBroker(t *testing.T) {
	t.Parallel()
	withoutItsBroker(t, natsBroker(t))
}

// TestReplicaRefuses: with INTAKE_FALLBACK=refuse a callback that the broker does not acknowledge is answered 503.
func TestReplicaRefuses(t *testing.T) {
	t.Parallel()
	b := replicaBroker{settings: []string{prefix + "TRANSPORT=nats", prefix + "NATS_URL=nats://127.0.0.1:1"}}
	replica := b.launch(t, t.TempDir(), prefix+"INTAKE_FALLBACK=refuse", prefix+"INTAKE_BUDGET=100ms")
	if status := newProvider().send(t.Context(), "http://"+replica.listen+"/live/stream", "room1", 0); status != 503 {
		t.Errorf("answered %d without a broker", status)
	}
}

// killReplicas sends the callbacks of each stream to two replicas in turn, as a load balancer does, while one of them
// is killed again and again: all comes out, once and in order.
func killReplicas(t *testing.T, b *replicaBroker, partitions int) {
	t.Helper()
	dirs := [2]string{t.TempDir(), t.TempDir()}
	urls := [2]atomic.Pointer[string]{}
	var replicas [2]*program
	begin := func(i int) {
		replicas[i] = b.launch(t, dirs[i], prefix+"INTAKE_GROUP=team")
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
	p.judgeTopic(t, b.consume)
	if t.Failed() {
		t.Logf("one logged\n%s\nthe other one\n%s", replicas[0].log, replicas[1].log)
	}
	if log := replicas[1].log.String(); !strings.Contains(log, `"group":"team"`) {
		t.Errorf("it takes part in another group:\n%s", log)
	}
	stats, errOut, _ := command(t, dirs[1], "journal", "inspect", "--output", "text")
	if n := strings.Count(stats, "\n"); n != partitions+1 || !strings.Contains(stats, "owner") {
		t.Errorf("inspect prints %s%s", stats, errOut)
	}
	for _, r := range replicas {
		stopReplica(t, r)
	}
}

func stopReplica(t *testing.T, r *program) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := r.end(t); code != exitDone {
		t.Errorf("it exits with %d\n%s", code, r.log)
	}
}

// withoutItsBroker: callbacks keep their 200 while the broker is away, also from the start, and reach it later.
func withoutItsBroker(t *testing.T, b *replicaBroker) {
	t.Helper()
	dir := t.TempDir()
	replica, p := b.launch(t, dir), newProvider()
	p.play(t.Context(), "http://"+replica.listen+"/live/stream", "room1", 0, 10)
	b.kill()
	if n := p.play(t.Context(), "http://"+replica.listen+"/live/stream", "room1", 10, 20); n != 20 {
		t.Fatalf("refused at %d while the broker is away", n)
	}
	replica.kill()
	replica.end(t)
	replica = b.launch(t, dir)
	if n := p.play(t.Context(), "http://"+replica.listen+"/live/stream", "room1", 20, 30); n != 30 {
		t.Fatalf("refused at %d by a replica that has not found the broker yet", n)
	}
	b.begin()
	p.judgeTopic(t, b.consume)
	stopReplica(t, replica)
}
