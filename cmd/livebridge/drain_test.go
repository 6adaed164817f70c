package main

import (
	"testing"
	"time"

	"livebridge/bridge"
)

// gatedPublisher publishes the events of a stream once the test says so.
type gatedPublisher struct {
	*slowPublisher
	gates map[string]chan struct{}
}

func newGatedPublisher(streams ...string) *gatedPublisher {
	p := &gatedPublisher{slowPublisher: newSlowPublisher(), gates: make(map[string]chan struct{})}
	for _, stream := range streams {
		p.gates[stream] = make(chan struct{})
	}
	p.takes = 0
	p.gate = func(e *bridge.Event) <-chan struct{} { return p.gates[e.Lane.Stream] }
	return p
}

// stopping waits until a service in this process stops, and what it takes is recorded later than that.
func stopping(t *testing.T, service *program) {
	t.Helper()
	until(t, "it is not ready", func() bool { return service.status("/readyz") == 503 })
	now := time.Now().UnixMilli() // events are stamped with milliseconds
	until(t, "a millisecond is over", func() bool { return time.Now().UnixMilli() > now })
}

// TestAcceptsWhileTheOutboxDrains: callbacks are accepted for as long as what the signal has found in the outbox is
// published. What comes meanwhile is published too, and does not hold the end up when it is not.
func TestAcceptsWhileTheOutboxDrains(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		left uint64
	}{{"the broker takes what comes meanwhile", 0}, {"the broker takes nothing more", 1}} {
		t.Run(c.name, func(t *testing.T) {
			dir, p := t.TempDir(), newGatedPublisher("before", "after")
			service, stop, ended := runWith(t, dir, p.slowPublisher, "SHUTDOWN_GRACE", "1h")
			service.send(t, "/live/stream", streamCallback("PUBLISH", "before", 1_587_954_134, time.Now(), ""), 200)
			stop()
			stopping(t, service)
			service.send(t, "/live/stream", streamCallback("PUBLISH", "after", 1_587_954_134, time.Now(), ""), 200)
			if c.left == 0 {
				close(p.gates["after"])
			}
			close(p.gates["before"])
			returns(t, ended)
			if n := left(t, dir); n != c.left {
				t.Errorf("%d events are left in the outbox, want %d", n, c.left)
			}
		})
	}
}
