package nats

import (
	"testing"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// TestStoredEventsAreLogged with stream and sequence.
func TestStoredEventsAreLogged(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.DebugLevel)
	o := quickOptions(natstest.Start(t, &server.Options{}).URL)
	o.Log = zap.New(core)
	p := dial(t, o)
	for n := range uint64(3) {
		e := natstest.Event("a", n+1)
		if err := transporttest.Publish(t, p, e); err != nil {
			t.Fatal(err)
		}
		lines := logs.FilterMessage("event stored by NATS").FilterField(zap.Stringer("id", e.ID)).All()
		if len(lines) != 1 {
			t.Fatalf("%d lines", len(lines))
		}
		got := lines[0].ContextMap()
		if got["sequence"] != n+1 || got["stream"] != o.Stream || got["stream_sequence"] != n+1 || got["duplicate"] != false {
			t.Errorf("%v", got)
		}
	}
}

// TestPositionsAreReported: stream, subject and the sequence in the stream, before the event is answered.
func TestPositionsAreReported(t *testing.T) {
	t.Parallel()
	o := quickOptions(natstest.Start(t, &server.Options{}).URL)
	p := dial(t, o)
	positions := transporttest.ReportPositions(t, p)
	for n := range uint64(3) {
		e := natstest.Event("a", n+1)
		if err := transporttest.Publish(t, p, e); err != nil {
			t.Fatal(err)
		}
		want := bridge.Position{Topic: o.Stream, Subject: o.subject(e), Partition: -1, Offset: int64(n + 1)}
		if got := positions.Of(e); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}
