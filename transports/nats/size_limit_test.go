package nats

import (
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// sized is an event whose message has about so many bytes.
func sized(n uint64, bytes int) *bridge.Event {
	e := natstest.Event("a", n)
	e.Data = []byte(`{"x":"` + strings.Repeat("x", bytes) + `"}`)
	return e
}

// TestCurrentStreamLimit: what the stream accepts depends on its current limit, raised or lowered.
func TestCurrentStreamLimit(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	js, o := s.JetStream(t), quickOptions(s.URL)
	config := eventsStream(&o).want
	config.MaxMsgSize = 4096
	natstest.Must(js.CreateStream(t.Context(), config))
	p := dial(t, o)
	if err := transporttest.Publish(t, p, sized(1, 8192)); !bridge.IsRejected(err) || !strings.Contains(err.Error(),
		"10054") && !strings.Contains(err.Error(), "maximum") {
		t.Fatalf("got %v", err)
	}
	config.MaxMsgSize = 65536
	natstest.Must(js.UpdateStream(t.Context(), config))
	if err := transporttest.Try(t, p, sized(2, 8192)); err != nil {
		t.Fatalf("the limit has been raised: %v", err)
	}
	config.MaxMsgSize = 4096
	natstest.Must(js.UpdateStream(t.Context(), config))
	if err := transporttest.Try(t, p, sized(3, 8192)); !bridge.IsRejected(err) {
		t.Fatalf("the limit has been lowered: %v", err)
	}
	if err := transporttest.Try(t, p, sized(4, 100)); err != nil {
		t.Fatal(err)
	}
}

// TestCurrentServerLimit: a server whose max_payload is changed by a reload tells nobody; what is rejected is too large
// for the limit of this moment all the same.
func TestCurrentServerLimit(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{MaxPayload: 4096})
	p := dial(t, quickOptions(s.URL))
	reload := func(limit int32) {
		o := s.Options.Clone()
		o.MaxPayload = limit
		if err := s.Running.ReloadOptions(o); err != nil {
			t.Fatal(err)
		}
	}
	if err := transporttest.Publish(t, p, sized(1, 8192)); !bridge.IsRejected(err) || !strings.Contains(err.Error(),
		"max_payload (4096)") {
		t.Fatalf("got %v", err)
	}
	reload(65536)
	p.sizeLimit.mu.Lock()
	p.sizeLimit.at = p.sizeLimit.at.Add(-sizeLimitTTL) // as if so long had passed
	p.sizeLimit.mu.Unlock()
	if err := transporttest.Publish(t, p, sized(2, 8192)); err != nil {
		t.Fatalf("the limit has been raised: %v", err)
	}
	reload(4096)
	if err := transporttest.Publish(t, p, sized(3, 8192)); !bridge.IsRejected(err) {
		t.Fatalf("the limit has been lowered: %v", err)
	}
	if err := transporttest.Publish(t, p, sized(4, 100)); err != nil {
		t.Fatal(err)
	}
}

// TestSizeLimitWithoutServer: the connection may be lost before a server is asked. The event waits for the next one,
// and nobody else is asked, such as whoever listens at the client's default address.
func TestSizeLimitWithoutServer(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{MaxPayload: 4096})
	p := dial(t, quickOptions(s.URL))
	if err := transporttest.Publish(t, p, sized(1, 100)); err != nil {
		t.Fatal(err)
	}
	s.Running.Shutdown()
	transporttest.Eventually(t, "the connection is lost", func() bool { return !p.conn.Load().IsConnected() })
	answer := make(chan error, 1)
	p.rejectTooLarge(8192, 4096, func(err error) { answer <- err })
	if err := transporttest.Receive(t, answer); err == nil || bridge.IsRejected(err) {
		t.Errorf("got %v", err)
	}
}
