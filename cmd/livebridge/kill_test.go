package main

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestKill kills the program in the middle of a simulated load, several times, and starts it again on what it has left.
func TestKill(t *testing.T) {
	dir, l := t.TempDir(), newLoad(t)
	service := launch(t, dir, l.settings...)
	l.begin(t, 2000, 8000)
	for life := range int64(4) {
		l.await(t, 1200*(life+1))
		if err := service.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		service.end(t)
		service = launch(t, dir, l.settings...)
	}
	l.end(t)
	l.judge(t, service)
	if err := service.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := service.end(t); code != exitDone {
		t.Errorf("after SIGTERM it exits with %d\n%s", code, service.log)
	}
	if strings.Contains(service.log.String(), demoKey) {
		t.Error("the log shows the key")
	}
}

// TestKilledInASync kills the program at chosen syncs of its log, and lets one fail, under a client: what was answered 200
// comes out of the next start.
func TestKilledInASync(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("there is no strace; bridge/journal.TestPowerAtEveryOperation does it in memory")
	}
	for _, fault := range []string{"signal=SIGKILL:when=9", "signal=SIGKILL:when=40", "error=EIO:when=20"} {
		t.Run(fault, func(t *testing.T) {
			dir, p := t.TempDir(), newProvider()
			service := launchUnder(t, dir, []string{strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", "inject=fdatasync:" + fault})
			var wg sync.WaitGroup
			for i := range 4 {
				wg.Go(func() {
					p.play(t.Context(), "http://"+service.listen+"/live/stream", fmt.Sprint("room", i), 0, 1000)
				})
			}
			wg.Wait()
			if code := service.end(t); code == exitDone {
				t.Errorf("it ends with %d", code)
			}
			if n := p.total.Load(); n == 0 || n == 4000 {
				t.Errorf("%d callbacks were answered 200", n)
			}
			p.judge(t, launch(t, dir).nats)
		})
	}
}
