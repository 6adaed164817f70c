package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// administrator connects to a broker as whoever runs it.
func administrator(t testing.TB, url string) jetstream.JetStream {
	t.Helper()
	conn, err := natsgo.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// awaitOutbox waits until so many events wait for the broker.
func (p *program) awaitOutbox(t *testing.T, n int) {
	t.Helper()
	until(t, fmt.Sprintf("the outbox has %d events", n),
		func() bool { return p.metrics(t)["livebridge_outbox_events"] == float64(n) })
}

// hasLogged checks that the log of a program that has ended names something in one line.
func (p *program) hasLogged(t *testing.T, level string, texts ...string) {
	t.Helper()
	if !p.logs(level, texts...) {
		t.Errorf("no line of level %s has %q:\n%s", level, texts, p.log)
	}
}

// logs reports whether a line of this level has all of the texts.
func (p *program) logs(level string, texts ...string) bool {
	for line := range strings.Lines(p.log.String()) {
		found := strings.Contains(line, fmt.Sprintf("%q", level))
		for _, w := range texts {
			found = found && strings.Contains(line, w)
		}
		if found {
			return true
		}
	}
	return false
}

// TestAnotherStreamTakesTheEvents: an operator gives the subjects to a stream that keeps a single message in memory.
// What is answered 200 waits until our stream has them again, and all of it comes out.
func TestAnotherStreamTakesTheEvents(t *testing.T) {
	t.Parallel()
	url := broker(t, natstest.StoreDir(t), server.RANDOM_PORT).ClientURL()
	service, p := launch(t, t.TempDir(), prefix+"NATS_URL="+url), newProvider()
	p.playAll(t, service, 0, 1)
	service.awaitOutbox(t, 0)
	js := administrator(t, url)
	stream, err := js.Stream(t.Context(), "LIVE_EVENTS")
	if err != nil {
		t.Fatal(err)
	}
	ours := stream.CachedInfo().Config
	edited := ours
	edited.Subjects = []string{"elsewhere.>"}
	if _, err := js.UpdateStream(t.Context(), edited); err != nil {
		t.Fatal(err)
	}
	other := jetstream.StreamConfig{Name: "THIEF", Subjects: []string{"live.events.>"}, Storage: jetstream.MemoryStorage,
		MaxMsgs: 1}
	if _, err := js.CreateStream(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	p.playAll(t, service, 1, 2)
	service.awaitOutbox(t, 4)
	until(t, "the program has noticed", func() bool {
		return service.logs("error", "unavailable", "LIVE_EVENTS", "elsewhere.>", "NATS_SUBJECT_PREFIX")
	})
	if err := js.DeleteStream(t.Context(), "THIEF"); err != nil {
		t.Fatal(err)
	}
	if _, err := js.UpdateStream(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	p.judge(t, url)
	service.terminate(t)
}

// TestStreamBecomesTooSmall: the limits of our stream are lowered while the program runs, and raised again.
func TestStreamBecomesTooSmall(t *testing.T) {
	t.Parallel()
	url := broker(t, natstest.StoreDir(t), server.RANDOM_PORT).ClientURL()
	service, p := launch(t, t.TempDir(), prefix+"NATS_URL="+url), newProvider()
	p.playAll(t, service, 0, 1)
	service.awaitOutbox(t, 0)
	js := administrator(t, url)
	stream, err := js.Stream(t.Context(), "LIVE_EVENTS")
	if err != nil {
		t.Fatal(err)
	}
	ours := stream.CachedInfo().Config
	small := ours
	small.MaxMsgs = 4
	if _, err := js.UpdateStream(t.Context(), small); err != nil {
		t.Fatal(err)
	}
	before, _ := sum(service.metrics(t), "livebridge_publish_failures_total")
	n := 1
	until(t, "the program has noticed", func() bool {
		p.playAll(t, service, n, n+1)
		n++
		failures, _ := sum(service.metrics(t), "livebridge_publish_failures_total")
		return failures > before
	})
	if _, err := js.UpdateStream(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	service.awaitOutbox(t, 0)
	service.terminate(t)
	service.hasLogged(t, "error", "unavailable", "LIVE_EVENTS", "max_msgs")
}

// TestForeignStreamIsAnOutage: NATS is away at the start, and comes back with another stream that has our subjects.
// Callbacks are accepted all the while, also after a restart, and everything comes out once the other stream is gone.
func TestForeignStreamIsAnOutage(t *testing.T) {
	t.Parallel()
	address := transporttest.FreeAddress(t)
	host, port := hostPort(t, address)
	store, dir, p := t.TempDir(), t.TempDir(), newProvider()
	url := "nats://" + address
	service := launch(t, dir, prefix+"NATS_URL="+url, prefix+"SHUTDOWN_GRACE=200ms")
	p.playAll(t, service, 0, 2)
	foreign := broker(t, store, server.RANDOM_PORT)
	if _, err := administrator(t, foreign.ClientURL()).CreateStream(t.Context(),
		jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"live.>"}}); err != nil {
		t.Fatal(err)
	}
	foreign.Shutdown()
	foreign.WaitForShutdown()
	brokerWith(t, server.Options{Host: host, Port: port, StoreDir: store, JetStream: true,
		JetStreamMaxStore: natstest.StoreLimit, NoSigs: true, NoLog: true})
	js := administrator(t, url)
	for n := 2; n <= 3; n++ {
		p.playAll(t, service, n, n+1)
		if answer, err := http.Get("http://" + service.admin + "/readyz"); err != nil || answer.StatusCode != 200 {
			t.Errorf("not ready: %v, %v", answer, err)
		}
		service.awaitOutbox(t, 4*(n+1))
		service.terminate(t)
		service = launch(t, dir, prefix+"NATS_URL="+url, prefix+"SHUTDOWN_GRACE=200ms")
	}
	if n := p.total.Load(); n != 16 {
		t.Errorf("%d of 16 callbacks were answered 200", n)
	}
	if err := js.DeleteStream(t.Context(), "OTHER"); err != nil {
		t.Fatal(err)
	}
	p.judge(t, url)
}

// TestQuarantineDoesNotFit: events are published, and the program goes on, where the quarantine's stream cannot be
// created.
func TestQuarantineDoesNotFit(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, StoreDir: natstest.StoreDir(t),
		JetStream:         true,
		JetStreamMaxStore: 10 << 30, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the broker did not start")
	}
	p, dir := newProvider(), t.TempDir()
	service := launch(t, dir, prefix+"NATS_URL="+s.ClientURL(), prefix+"QUARANTINE_MAX_BYTES=8GiB",
		prefix+"SHUTDOWN_GRACE=200ms")
	service.send(t, "/live/stream", streamCallback("PUBLISH", "late", 1587954134, time.Now().Add(-time.Hour), ""), 401)
	p.playAll(t, service, 0, 4)
	p.judge(t, s.ClientURL())
	service.awaitOutbox(t, 1)
	service.terminate(t)
	service.hasLogged(t, "error", "LIVE_QUARANTINE", "QUARANTINE_MAX_BYTES")
	service = launch(t, dir, prefix+"NATS_URL="+s.ClientURL())
	service.awaitOutbox(t, 0)
}

// TestLargerMessagesAfterAll: a dead letter is published when the broker's limit has been raised and an operator tries
// it again, without a restart.
func TestLargerMessagesAfterAll(t *testing.T) {
	t.Parallel()
	url := broker(t, natstest.StoreDir(t), server.RANDOM_PORT).ClientURL()
	js := administrator(t, url)
	config := jetstream.StreamConfig{Name: "LIVE_EVENTS", Subjects: []string{"live.events.>"}, MaxMsgSize: 700}
	if _, err := js.CreateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	service, p := launch(t, dir, prefix+"NATS_URL="+url), newProvider()
	long := strings.Repeat("room", 100)
	p.send(t.Context(), "http://"+service.listen+"/live/stream", long, 0)
	until(t, "there is a dead letter", func() bool { return service.metrics(t)["livebridge_dead_letters"] == 1 })
	config.MaxMsgSize = 7000
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if out, errOut, code := command(t, dir, "deadletters", "retry", "--all"); code != exitDone {
		t.Fatalf("retry: %d %s %s", code, out, errOut)
	}
	service.awaitOutbox(t, 0)
	until(t, "it is published", func() bool {
		return service.metrics(
			t)[`livebridge_events_published_total{kind="stream"}`] == 1
	})
	p.send(t.Context(), "http://"+service.listen+"/live/stream", long, 1)
	until(t, "the next is published", func() bool {
		return service.metrics(t)[`livebridge_events_published_total{kind="stream"}`] == 2
	})
	if n := service.metrics(t)["livebridge_dead_letters"]; n != 0 {
		t.Errorf("%v dead letters", n)
	}
}
