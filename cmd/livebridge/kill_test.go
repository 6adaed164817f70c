package main

import (
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
)

// TestKill kills the program in the middle of a simulated load, several times, at random, and starts it again on what
// it has left.
func TestKill(t *testing.T) {
	t.Parallel()
	dir, l := t.TempDir(), newLoad(t)
	service := launch(t, dir, l.settings...)
	l.begin(t, 2000, 0)
	for life := range int64(unlessShort(4, 2)) {
		l.await(t, 1200*(life+1)+rand.Int64N(300))
		service.kill()
		service.end(t)
		service = launch(t, dir, l.settings...)
	}
	l.stop()
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
