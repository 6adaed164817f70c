package main

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// TestStreamFull: the stream takes nothing more; callbacks are answered 200 all the
// while, and everything comes out in order when there is room.
func TestStreamFull(t *testing.T) {
	url := broker(t, t.TempDir(), server.RANDOM_PORT).ClientURL()
	conn, err := natsgo.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	config := jetstream.StreamConfig{Name: "LIVE_EVENTS", Subjects: []string{"live.events.>"}, Discard: jetstream.DiscardNew, MaxMsgs: 30}
	if _, err := js.CreateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	s, err := load(with("LISTEN", "127.0.0.1:0", "ADMIN_LISTEN", "127.0.0.1:0", "DATA_DIR", t.TempDir(), "NATS_URL", url, "MIN_FREE_BYTES", "1MiB"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := start(s, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx) }()
	p := newProvider()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			p.play(ctx, "http://"+a.callbacks.Addr().String()+"/live/stream", fmt.Sprint("room", i), 0, 20)
		})
	}
	wg.Wait()
	if n, left := p.total.Load(), a.journal.Pending(); n != 80 || left < 50 {
		t.Errorf("%d callbacks were answered 200, and %d events wait", n, left)
	}
	config.MaxMsgs = -1
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	p.judge(t, url)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
