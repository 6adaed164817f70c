package main

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// signal sends one to the program.
func (p *program) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// status returns that of an answer of the admin port; 0: none.
func (p *program) status(path string) int {
	answer, err := http.Get("http://" + p.admin + path)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// isNotReady waits until the program reports that it is not ready, and fails when it ends before.
func (p *program) isNotReady(t *testing.T) {
	t.Helper()
	until(t, "it is not ready", func() bool {
		status := p.status("/readyz")
		if status == 0 {
			t.Fatal("it ends without having been not ready")
		}
		return status == http.StatusServiceUnavailable
	})
}

// TestShutdownDelay: after SIGTERM the program is alive and not ready, and accepts callbacks during the delay; then it
// ends by itself, with all of it published.
func TestShutdownDelay(t *testing.T) {
	t.Parallel()
	const delay = 2 * time.Second
	dir, p := t.TempDir(), newProvider()
	service := launch(t, dir, prefix+"SHUTDOWN_DELAY="+delay.String())
	url := "http://" + service.listen + "/live/stream"
	p.sendWith(t.Context(), &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, url, "room1", 0)
	begun := time.Now()
	service.signal(t, syscall.SIGTERM)
	service.isNotReady(t)
	if status := service.status("/livez"); status != http.StatusOK && time.Since(begun) < delay {
		t.Errorf("/livez is answered %d", status)
	}
	for n := 1; n <= 10; n++ {
		if status := p.send(t.Context(), url, "room1", n); status != http.StatusOK && time.Since(begun) < delay {
			t.Fatalf("callback %d is answered %d", n, status)
		}
	}
	if code := service.end(t); code != exitDone || time.Since(begun) < delay {
		t.Errorf("it exits with %d after %v\n%s", code, time.Since(begun), service.log)
	}
	service = launch(t, dir)
	if n := service.metrics(t)["livebridge_outbox_events"]; n != 0 {
		t.Errorf("%.0f events were left", n)
	}
	p.judge(t, service.nats)
}

// TestSecondSignal ends the program at once, though it was to accept callbacks for an hour; nothing is lost.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	for _, second := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		dir, p := t.TempDir(), newProvider()
		service := launch(t, dir, prefix+"NATS_URL=nats://127.0.0.1:1", prefix+"SHUTDOWN_DELAY=1h")
		p.play(t.Context(), "http://"+service.listen+"/live/stream", "room1", 0, 20)
		service.signal(t, syscall.SIGTERM)
		service.isNotReady(t)
		service.signal(t, second)
		service.end(t)
		if state := service.cmd.ProcessState.Sys().(syscall.WaitStatus); !state.Signaled() || state.Signal() != second {
			t.Errorf("it ended with %v\n%s", service.cmd.ProcessState, service.log)
		}
		service = launch(t, dir)
		p.judge(t, service.nats)
	}
}

// TestNoWaitForAnUnavailableBroker: a broker that is known to be unavailable does not hold the end up, however long the
// grace; the log says so, and what was left.
func TestNoWaitForAnUnavailableBroker(t *testing.T) {
	t.Parallel()
	dir, p := t.TempDir(), newProvider()
	service := launch(t, dir, prefix+"NATS_URL=nats://127.0.0.1:1", prefix+"SHUTDOWN_GRACE=1h")
	p.play(t.Context(), "http://"+service.listen+"/live/stream", "room1", 0, 20)
	until(t, "the outage is known", func() bool { return service.metrics(t)["livebridge_broker_available"] == 0 })
	service.signal(t, syscall.SIGTERM)
	service.ends(t)
	for _, want := range []string{
		`"msg":"stopping","waits_for":"nothing: the broker is unavailable, and the outbox is on disk","outbox_events":20`,
		`"msg":"stopped with events in the outbox; they are published after the next start","outbox_events":20`,
	} {
		if !strings.Contains(service.log.String(), want) {
			t.Errorf("the log has no %s\n%s", want, service.log)
		}
	}
	service = launch(t, dir)
	p.judge(t, service.nats)
}

// TestNoServersSecretInTheLog: NATS_URL may hold a password.
func TestNoServersSecretInTheLog(t *testing.T) {
	service := launch(t, t.TempDir(), prefix+"NATS_URL=nats://user:hunter2@127.0.0.1:1", prefix+"SHUTDOWN_GRACE=0s",
		prefix+"LOG_LEVEL=debug")
	newProvider().play(t.Context(), "http://"+service.listen+"/live/stream", "room1", 0, 2)
	service.signal(t, syscall.SIGTERM)
	service.end(t)
	if strings.Contains(service.log.String(), "hunter2") {
		t.Errorf("%s", service.log)
	}
}
