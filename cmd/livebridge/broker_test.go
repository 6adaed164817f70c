package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

// asBroker makes the test's binary behave as nats-server.
const asBroker = "TEST_AS_NATS_SERVER"

// outage is how long TestBrokerStopped stops the broker: go test ./cmd/livebridge -run TestBrokerStopped -outage 1m
var outage = flag.Duration("outage", 0, "how long the broker is away; 0: 2s, or 500ms if short")

// serveNATS is what nats-server's main does.
func serveNATS(args []string) {
	flags := flag.NewFlagSet("nats-server", flag.ExitOnError)
	options, err := server.ConfigureOptions(flags, args, server.PrintServerAndExit, flags.Usage, server.PrintTLSHelpAndDie)
	if err != nil {
		server.PrintAndDie(err.Error())
	}
	options.JetStreamMaxStore = natstest.StoreLimit
	s, err := server.NewServer(options)
	if err != nil {
		server.PrintAndDie(err.Error())
	}
	if err := server.Run(s); err != nil {
		server.PrintAndDie(err.Error())
	}
	s.WaitForShutdown()
	os.Exit(0)
}

// awayFor returns how long the broker is away.
func awayFor() time.Duration {
	switch {
	case *outage > 0:
		return *outage
	case testing.Short():
		return 500 * time.Millisecond
	}
	return 2 * time.Second
}

// startNATS runs nats-server as its own process.
func startNATS(t testing.TB, store, address string) *exec.Cmd {
	t.Helper()
	host, port := hostPort(t, address)
	cmd := exec.Command(os.Args[0], "-a", host, "-p", strconv.Itoa(port), "-js", "-sd", store)
	cmd.Env = append(os.Environ(), asBroker+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

// TestBrokerStopped kills nats-server under a simulated load and starts it again some time later: meanwhile every
// callback has been answered as if nothing were, and afterwards all of it comes out in order.
// It is not parallel: its load is its own.
func TestBrokerStopped(t *testing.T) {
	const rate = 1000
	away := awayFor()
	store, l := t.TempDir(), newLoad(t)
	address := transporttest.FreeAddress(t)
	nats := startNATS(t, store, address)
	service := launch(t, t.TempDir(), append(l.settings, prefix+"NATS_URL=nats://"+address)...)
	l.begin(t, rate, int(min(5*away, away+4*time.Second).Seconds()*rate))
	l.await(t, rate)
	if err := nats.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = nats.Wait() // killed
	before := l.accepted.Load()
	<-time.After(away)
	during := l.accepted.Load() - before
	waits := service.metrics(t)["livebridge_outbox_events"] // of these and those that came since
	startNATS(t, store, address)
	l.end(t)
	t.Logf("answered 200 during %v: %d; then %.0f events waited; %v", away, during, waits, l.report)
	if l.report.Unexpected > 0 || waits < float64(during)/2 {
		t.Errorf("%d answers were wrong, and %.0f events waited where %d had been accepted", l.report.Unexpected, waits,
			during)
	}
	l.judge(t, service)
}

// TestStreamFull: the stream accepts nothing more; callbacks are answered 200 all the
// while, and everything comes out in order when there is room.
func TestStreamFull(t *testing.T) {
	t.Parallel()
	url := broker(t, natstest.StoreDir(t), server.RANDOM_PORT).ClientURL()
	js := administrator(t, url)
	config := jetstream.StreamConfig{Name: "LIVE_EVENTS", Subjects: []string{"live.events.>"},
		Discard: jetstream.DiscardNew, MaxMsgs: 30}
	if _, err := js.CreateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	a := startApp(t, t.TempDir(), "NATS_URL", url)
	stop, ended := runApp(t, a)
	p := newProvider()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			p.play(t.Context(), "http://"+a.callbackListener.Addr().String()+"/live/stream", fmt.Sprint("room", i), 0, 20)
		})
	}
	wg.Wait()
	if n, left := p.total.Load(), a.engine.pending(); n != 80 || left < 50 {
		t.Fatalf("%d callbacks were answered 200, and %d events wait", n, left)
	}
	config.MaxMsgs = -1
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	p.judge(t, url)
	stop()
	returns(t, ended)
}
