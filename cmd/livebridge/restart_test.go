package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"livebridge/transports/transporttest"
)

// asSystemd is the command line under which the program gets its sockets as systemd passes them.
func asSystemd() []string { return []string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`} }

// newConnections sends callbacks, each on a connection of its own.
type newConnections struct {
	provider *playedProvider
	url      string
	client   http.Client
	mu       sync.Mutex
	refused  int           // found no connection, or none that answered
	last     time.Time     // when a callback was last answered 200
	gap      time.Duration // the longest time between two of those
}

func newNewConnections(p *playedProvider, url string) *newConnections {
	return &newConnections{provider: p, url: url, client: http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
}

// play has several streams send, at some hundred callbacks a second together, until ctx ends; all of them are answered
// or refused when it returns.
func (n *newConnections) play(ctx context.Context, t *testing.T) {
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			ticker := time.NewTicker(5 * time.Millisecond)
			defer ticker.Stop()
			for round := 0; ctx.Err() == nil; round++ {
				n.note(n.provider.sendWith(t.Context(), &n.client, n.url, fmt.Sprint("room", i), round))
				<-ticker.C
			}
		})
	}
	group.Wait()
}

func (n *newConnections) note(status int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if status != http.StatusOK {
		n.refused++
		return
	}
	now := time.Now()
	if !n.last.IsZero() {
		n.gap = max(n.gap, now.Sub(n.last))
	}
	n.last = now
}

// TestRestartUnderLoad replaces one process by the next while callbacks come, each on a new connection, at some hundred
// a second. With the sockets of systemd all are answered 200, without a broker too; without those sockets some are
// refused between the two processes. All that were answered are published, in order.
func TestRestartUnderLoad(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		activated, away bool
	}{{"socket activation", true, false}, {"socket activation, no broker", true, true}, {"own sockets", false, false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			restartUnderLoad(t, c.activated, c.away)
		})
	}
}

func restartUnderLoad(t *testing.T, activated, away bool) {
	dir, p := t.TempDir(), newProvider()
	l := transporttest.FreeListener(t) // nobody takes it between two lives
	address := l.Addr().String()
	var under, settings []string
	var files []*os.File
	if activated {
		file, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		under, files, settings = asSystemd(), []*os.File{file}, []string{"LISTEN_FDS=1", "LISTEN_FDNAMES=callbacks"}
	} else {
		settings = []string{prefix + "LISTEN=" + address}
	}
	if away {
		settings = append(settings, prefix+"NATS_URL=nats://127.0.0.1:1")
	}
	_ = l.Close() // file, if there is one, keeps it open, as systemd does
	begin := func() *program { return spawnWith(t, dir, under, files, settings...) }
	service := begin()
	if service.listen != address {
		t.Fatalf("it listens on %q and not on %s\n%s", service.listen, address, service.log)
	}
	ctx, end := context.WithCancel(t.Context())
	connections := newNewConnections(p, "http://"+address+"/live/stream")
	var playing sync.WaitGroup
	playing.Go(func() { connections.play(ctx, t) })
	until(t, "callbacks are answered", func() bool {
		return p.total.Load() > 100 && (!away || service.metrics(t)["livebridge_broker_available"] == 0)
	})
	service.signal(t, syscall.SIGTERM)
	service.ends(t)
	service = begin()
	now := p.total.Load()
	until(t, "callbacks are answered again", func() bool { return p.total.Load() > now+100 })
	end()
	playing.Wait()
	t.Logf("%d callbacks, %d without an answer, none answered for %v", len(p.sent), connections.refused, connections.gap)
	if activated && connections.refused > 0 {
		t.Errorf("%d of %d callbacks were not answered 200", connections.refused, len(p.sent))
	}
	if away {
		service.terminate(t)
		service = launch(t, dir)
	}
	p.judge(t, service.nats)
}
