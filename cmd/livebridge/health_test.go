package main

import (
	"strings"
	"syscall"
	"testing"
)

// TestHealth: the command answers for the service as its probes do, and never with 0 when nobody does.
func TestHealth(t *testing.T) {
	dir := t.TempDir()
	service := launch(t, dir, prefix+"SHUTDOWN_DELAY=1h")
	t.Setenv(prefix+"ADMIN_LISTEN", service.admin)
	if out, errOut, code := command(t, dir, "health"); code != exitDone || out == "" {
		t.Errorf("of a service that is ready: %d %q %s", code, out, errOut)
	}
	service.signal(t, syscall.SIGTERM)
	service.isNotReady(t)
	if _, errOut, code := command(t, dir, "health"); code != exitFailed || !strings.Contains(errOut, "503") {
		t.Errorf("of a service that stops: %d %s", code, errOut)
	}
	if out, errOut, code := command(t, dir, "health", "--live"); code != exitDone || out == "" {
		t.Errorf("of a service that lives: %d %q %s", code, out, errOut)
	}
	service.kill()
	service.end(t)
	if _, errOut, code := command(t, dir, "health"); code != exitFailed || !strings.Contains(errOut, "ADMIN_LISTEN") {
		t.Errorf("of no service: %d %s", code, errOut)
	}
}

// TestReachableAddress: a service that listens everywhere is asked on loopback.
func TestReachableAddress(t *testing.T) {
	for listen, want := range map[string]string{
		":9090": "127.0.0.1:9090", "0.0.0.0:9090": "127.0.0.1:9090", "[::]:9090": "127.0.0.1:9090",
		"10.1.2.3:80": "10.1.2.3:80", "localhost:1": "localhost:1", "[fd00::1]:2": "[fd00::1]:2",
	} {
		if got := reachableAddress(listen); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
}
