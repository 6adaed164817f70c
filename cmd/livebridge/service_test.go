package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"livebridge/transports/nats/natstest"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"
)

// asProgram makes the test's binary behave as livebridge itself.
const asProgram = "TEST_AS_LIVEBRIDGE"

// testHold is both holds of a program that a test starts.
const testHold = 300 * time.Millisecond

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(asProgram) != "":
		endWithParent()
		main()
	case os.Getenv(asBroker) != "":
		endWithParent()
		serveNATS(os.Args[1:])
	case os.Getenv(asLimit) != "":
		endWithParent()
		serveLimit(os.Getenv(asLimit))
	}
	if err := setCredentials(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// logBuffer is a log that is read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

// String returns what was written by now.
func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// program is a running livebridge, as its own process.
type program struct {
	cmd           *exec.Cmd
	dir           string
	listen, admin string
	nats          string
	log           *logBuffer // all that it has written by now
	logged        chan struct{}
	took          time.Duration // until callbacks are accepted
}

// launch starts the program on a data directory and waits until it accepts callbacks.
func launch(t testing.TB, dir string, settings ...string) *program {
	t.Helper()
	return launchUnder(t, dir, nil, settings...)
}

// launchUnder does it under another program, such as strace.
func launchUnder(t testing.TB, dir string, under []string, settings ...string) *program {
	t.Helper()
	p := spawn(t, dir, under, settings...)
	if p.listen == "" {
		<-p.logged
		t.Fatalf("the program did not start: %v\n%s", p.cmd.Wait(), p.log)
	}
	return p
}

// spawn starts the program and waits until it accepts callbacks or has ended; then it listens nowhere.
func spawn(t testing.TB, dir string, under []string, settings ...string) *program {
	t.Helper()
	return spawnWith(t, dir, under, nil, settings...)
}

// spawnWith passes open files to the program, from file descriptor 3 on.
func spawnWith(t testing.TB, dir string, under []string, files []*os.File, settings ...string) *program {
	t.Helper()
	line := append(under, os.Args[0])
	p := &program{cmd: exec.Command(line[0], line[1:]...), dir: dir, log: &logBuffer{}, logged: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), asProgram+"=1", prefix+"DATA_DIR="+dir, prefix+"STREAM_KEY="+demoKey,
		prefix+"LOG_FORMAT=json",
		prefix+"LISTEN=127.0.0.1:0", prefix+"ADMIN_LISTEN=127.0.0.1:0",
		prefix+"MIN_FREE_BYTES=1MiB", prefix+"HOLD_DONE="+testHold.String(), prefix+"HOLD_NEXT="+testHold.String())
	if !slices.Contains(settings, prefix+"TRANSPORT=kafka") {
		p.cmd.Env = append(p.cmd.Env, prefix+"NATS_EMBEDDED_LISTEN=127.0.0.1:0")
	}
	p.cmd.Env = append(p.cmd.Env, settings...)
	p.cmd.ExtraFiles, p.cmd.SysProcAttr = files, &syscall.SysProcAttr{Setpgid: true}
	out, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		_, _ = p.log.Write(line)
		var l struct{ Msg, Listen, Admin, NATS string }
		if err != nil {
			break
		} else if json.Unmarshal(line, &l) == nil && l.Listen != "" {
			p.listen, p.admin, p.nats, p.took = l.Listen, l.Admin, l.NATS, time.Since(begun)
			break
		}
	}
	go func() { defer close(p.logged); _, _ = io.Copy(p.log, lines) }()
	return p
}

// kill ends the program at once, and what it runs under.
func (p *program) kill() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }

// end waits for the program and returns its exit code. It kills one that does not end, and fails.
func (p *program) end(t testing.TB) int {
	t.Helper()
	select {
	case <-p.logged:
	case <-time.After(patience):
		p.kill()
		<-p.logged
		t.Errorf("it does not end\n%s", p.log)
	}
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	service := launch(t, dir)
	second := exec.Command(os.Args[0])
	second.Env = append(service.cmd.Env, prefix+"NATS_EMBEDDED_LISTEN=127.0.0.1:0")
	output, err := second.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitUsage || !strings.Contains(string(output), "DATA_DIR") {
		t.Errorf("%v: %s", err, output)
	}
	if answer, err := http.Get("http://" + service.admin + "/readyz"); err != nil || answer.StatusCode != 200 {
		t.Errorf("the first is not ready: %v, %v", answer, err)
	}
}

// broker is a NATS server of our own that can be stopped and started again.
func broker(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	return brokerWith(t, server.Options{Host: "127.0.0.1", Port: port, StoreDir: dir, JetStream: true, NoSigs: true,
		JetStreamMaxStore: natstest.StoreLimit, NoLog: true})
}

func brokerWith(t *testing.T, o server.Options) *server.Server {
	t.Helper()
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the broker did not start")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

// startApp starts the service in this process, on free ports.
func startApp(t *testing.T, dir string, settings ...string) *app {
	t.Helper()
	s, err := load(with(append(settings, "LISTEN", "127.0.0.1:0", "ADMIN_LISTEN", "127.0.0.1:0", "DATA_DIR", dir,
		"MIN_FREE_BYTES", "1MiB")...))
	if err != nil {
		t.Fatal(err)
	}
	a, err := start(s, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// runApp runs it until stop is called. The channel gets what it returns.
func runApp(t *testing.T, a *app) (stop context.CancelFunc, ended <-chan error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.run(ctx) }()
	return stop, done
}

// TestBrokerAway starts without a broker, gets one, loses it, and gets it back: every callback is answered 200 at once,
// and all of them come out in order.
// It is not parallel: a broker comes back on its port, which another test could have taken meanwhile.
func TestBrokerAway(t *testing.T) {
	store := t.TempDir()
	first := broker(t, store, server.RANDOM_PORT)
	url := first.ClientURL()
	var port int
	if _, err := fmt.Sscanf(url[strings.LastIndexByte(url, ':')+1:], "%d", &port); err != nil {
		t.Fatal(err)
	}
	first.Shutdown()
	first.WaitForShutdown()
	a := startApp(t, t.TempDir(), "NATS_URL", url)
	stop, ended := runApp(t, a)
	p := newProvider()
	play := func(from, to int) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				p.play(t.Context(), "http://"+a.callbackListener.Addr().String()+"/live/stream", fmt.Sprint("room", i), from, to)
			})
		}
		wg.Wait()
	}
	play(0, 40)
	b := broker(t, store, port)
	play(40, 80)
	b.Shutdown()
	b.WaitForShutdown()
	play(80, 120)
	if n := a.engine.pending(); n == 0 {
		t.Error("nothing waits though the broker is away")
	}
	broker(t, store, port)
	if n := p.total.Load(); n != 8*120 {
		t.Errorf("%d of %d callbacks were answered 200", n, 8*120)
	}
	p.judge(t, url)
	stop()
	returns(t, ended)
}

// TestStopsWithoutABroker: exit within the grace, nothing lost, though no broker was ever there.
func TestStopsWithoutABroker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	service := launch(t, dir, prefix+"NATS_URL=nats://127.0.0.1:1", prefix+"SHUTDOWN_GRACE=1s")
	p := newProvider()
	p.play(t.Context(), "http://"+service.listen+"/live/stream", "room1", 0, 20)
	if err := service.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := service.end(t); code != exitDone {
		t.Fatalf("it exits with %d\n%s", code, service.log)
	}
	service = launch(t, dir)
	p.judge(t, service.nats)
}
