package dispatch

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
)

// TestAttemptsAreLogged at the level debug: a failed attempt with its error, then the one that succeeds.
func TestAttemptsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		first := true
		p := &fakePublisher{answer: func(*bridge.Event) error {
			defer func() { first = false }()
			if first {
				return errAway
			}
			return nil
		}}
		h := &harness{t: t, outbox: newFakeOutbox(), registry: prometheus.NewRegistry(), ended: make(chan struct{})}
		h.start(p, Options{}, zap.New(core))
		h.outbox.add(events(1, 1)...)
		h.drain(time.Minute)
		lines := logs.FilterField(zap.Stringer("lane", lane(0))).FilterLevelExact(zap.DebugLevel).All()
		if len(lines) != 2 || lines[0].Message != "event not published" || lines[1].Message != "event published" {
			t.Fatalf("%+v", lines)
		}
		if f := lines[0].ContextMap(); f["error"] != errAway.Error() || f["sequence"] != uint64(1) || f["id"] == "" {
			t.Errorf("%v", f)
		}
	})
}
