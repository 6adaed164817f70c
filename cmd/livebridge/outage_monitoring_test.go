//go:build monitoring

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// TestMonitoredOutage plays an outage of the broker under load, with a real Prometheus: the alert fires, the
// dashboard's queries show the outage, the handbook's steps end it, and then no alert fires any more. Nothing is lost.
func TestMonitoredOutage(t *testing.T) {
	store := t.TempDir()
	b := broker(t, store, server.RANDOM_PORT)
	url := b.ClientURL()
	port := 0
	if _, err := fmt.Sscanf(url[strings.LastIndexByte(url, ':')+1:], "%d", &port); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "record-key")
	writeFile(t, key, []byte(demoKey))
	dir, settings := t.TempDir(), []string{prefix + "NATS_URL=" + url, prefix + "RECORD_KEY_FILE=" + key}
	service := launch(t, dir, settings...)
	p := newProvider()
	end := playUntil(t, p, service)
	monitor := startPrometheus(t, service.admin)
	until(
		t,
		"events are published",
		func() bool { return len(monitor.query(t, "livebridge_events_published_total > 50")) > 0 },
	)
	if firing := monitor.firing(t); len(firing) > 0 {
		t.Errorf("before the outage %v fire", firing)
	}

	b.Shutdown()
	b.WaitForShutdown()
	until(t, "the alert fires", func() bool { return monitor.firing(t)["LivebridgeBrokerUnavailable"] })
	until(t, "events wait", func() bool { return len(monitor.query(t, "livebridge_outbox_events > 100")) > 0 })
	values, empty := monitor.shown(t)
	if !slices.Equal(values["Broker"][:1], []string{"0"}) || values["Waiting events"][0] == "0" ||
		values["Lost callbacks"][0] != "0" {
		t.Errorf("the dashboard shows %v", values)
	}
	for _, title := range empty {
		if !strings.Contains(title, "Certificate") && !strings.Contains(title, "provider") { // not configured here
			t.Errorf("the panel %q shows nothing", title)
		}
	}

	// The handbook: config --check says what fails; fix it; no restart is needed.
	for _, setting := range append(settings, prefix+"STREAM_KEY="+demoKey, prefix+"MIN_FREE_BYTES=1MiB") {
		name, value, _ := strings.Cut(setting, "=")
		t.Setenv(name, value)
	}
	out, errOut, code := command(t, dir, "config", "--check")
	if code != exitFailed || !strings.Contains(out+errOut, "broker") || !strings.Contains(out+errOut, "refused") {
		t.Errorf("config --check exits with %d\n%s%s", code, out, errOut)
	}
	broker(t, store, port)
	until(t, "no event waits", func() bool { return len(monitor.query(t, "livebridge_outbox_events < 50")) > 0 })
	var firing map[string]bool
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("last fired: %v", firing)
		}
	})
	until(t, "no alert fires", func() bool { firing = monitor.firing(t); return len(firing) == 0 })
	end()
	p.judge(t, url)
}

// playUntil lets streams send until end is called, which waits for what is in flight.
func playUntil(t *testing.T, p *playedProvider, service *program) (end func()) {
	ctx, cancel := context.WithCancel(t.Context())
	connections := newNewConnections(p, "http://"+service.listen+"/live/stream")
	var playing sync.WaitGroup
	playing.Go(func() { connections.play(ctx, t) })
	end = func() {
		cancel()
		playing.Wait()
		if connections.refused > 0 {
			t.Errorf("%d callbacks were not answered 200", connections.refused)
		}
	}
	t.Cleanup(cancel)
	return end
}
