//go:build brokers

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"livebridge/transports/kafka/kafkatest"
)

// balancer forwards connections to replicas that are ready, in turn. Like the Service of a Deployment it balances
// connections and not requests: one that is open stays where it is.
type balancer struct {
	listener net.Listener
	turn     atomic.Uint32
	replicas [2]atomic.Pointer[program]
	work     sync.WaitGroup
}

func startBalancer(t *testing.T) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{listener: l}
	b.work.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			b.work.Go(func() { b.serve(client) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); b.work.Wait() })
	return b
}

// ready returns the next replica that says that it is ready; nil: none does.
func (b *balancer) ready() *program {
	turn := int(b.turn.Add(1))
	for i := range b.replicas {
		p := b.replicas[(turn+i)%len(b.replicas)].Load()
		if p.status("/readyz") == http.StatusOK {
			return p
		}
	}
	return nil
}

// serve forwards a connection until either side closes it.
func (b *balancer) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	p := b.ready()
	if p == nil {
		return
	}
	server, err := net.Dial("tcp", p.listen)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	b.work.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	_, _ = io.Copy(client, server)
}

// TestRollingRestart replaces two replicas behind a balancer, one after the other, while callbacks come in: every
// single one is answered 200 at the first try, and comes out.
func TestRollingRestart(t *testing.T) {
	c, dirs := kafkatest.Start(t, kafkatest.Options{}), [2]string{t.TempDir(), t.TempDir()}
	b, p := startBalancer(t), newProvider()
	shared := kafkaReplicas(joined(c))
	begin := func(i int) {
		b.replicas[i].Store(shared.launch(t, dirs[i], prefix+"SHUTDOWN_DELAY=2s"))
	}
	begin(0)
	begin(1)
	ctx, cancel := context.WithCancel(t.Context())
	var sent atomic.Int64
	var work sync.WaitGroup
	for room := range 8 {
		client := &http.Client{Transport: &http.Transport{}} // with connections of its own, which are kept open
		work.Go(func() {
			defer client.CloseIdleConnections()
			for n := 0; ctx.Err() == nil; n++ {
				sent.Add(1)
				p.sendWith(context.Background(), client, "http://"+b.listener.Addr().String()+"/live/stream",
					fmt.Sprint("room", room), n)
				<-time.After(10 * time.Millisecond)
			}
		})
	}
	for i := range dirs {
		before := p.total.Load()
		until(t, "callbacks are answered", func() bool { return p.total.Load() > before+200 })
		b.replicas[i].Load().terminate(t)
		begin(i)
	}
	cancel()
	work.Wait()
	if lost := sent.Load() - p.total.Load(); lost > 0 {
		t.Errorf("%d of %d callbacks were not answered 200 at the first try", lost, sent.Load())
	}
	p.judgeTopic(t, shared.consume)
}
