package nats

import (
	"context"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// inBackground consumes all events until the test ends.
func inBackground(t *testing.T, o Options) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	consumed := make(chan string, 100)
	go func() {
		_ = consumes(o)(ctx, true, func(r transporttest.Record) error { consumed <- string(r.Payload); return nil })
	}()
	return consumed
}

// checkNext checks that these events are consumed next.
func checkNext(t *testing.T, consumed <-chan string, want []*bridge.Event) {
	t.Helper()
	for _, e := range want {
		if got := transporttest.Receive(t, consumed); got != string(e.AppendStructured(nil)) {
			t.Errorf("consumed %s, want %v %d", got, e.Lane, e.Sequence)
		}
	}
}

// TestConsumeRecreatedStream: a stream that is deleted and created again is consumed from its beginning, though its
// sequences are lower than those consumed before.
func TestConsumeRecreatedStream(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	o, logs := observed(quickOptions(s.URL))
	p := dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(1, 1, 30))
	consumed := inBackground(t, o)
	checkNext(t, consumed, transporttest.Events(1, 1, 30))
	if err := s.JetStream(t).DeleteStream(t.Context(), o.Stream); err != nil {
		t.Fatal(err)
	}
	transporttest.AwaitLog(t, logs, "stream interrupted")
	transporttest.Deliver(t, p, transporttest.Events(1, 31, 2))
	checkNext(t, consumed, transporttest.Events(1, 31, 2))
}
