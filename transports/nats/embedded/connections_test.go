package embedded

import (
	"testing"
	"time"

	"livebridge/transports/nats"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"

	natsgo "github.com/nats-io/nats.go"
)

// TestConsumersAreBounded: there are at most so many connections of consumers, and when all are in use, a further one
// of the bridge is let in.
func TestConsumersAreBounded(t *testing.T) {
	t.Parallel()
	const maxConsumers = 3
	e, err := Start(Options{StoreDir: t.TempDir(), Listen: "127.0.0.1:0", MaxConsumers: maxConsumers},
		nats.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer transporttest.Close(t, e)
	if err := transporttest.Publish(t, e, natstest.Event("a", 1)); err != nil {
		t.Fatal(err)
	}
	var consumers []*natsgo.Conn
	for range maxConsumers {
		c, err := natsgo.Connect(e.ClientURL(), natsgo.NoReconnect())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		consumers = append(consumers, c)
	}
	if c, err := natsgo.Connect(e.ClientURL()); err == nil {
		c.Close()
		t.Error("one too many was let in")
	}
	for deadline := time.Now().Add(20 * time.Second); !connected(e); {
		if time.Now().After(deadline) {
			t.Fatal("the bridge is kept out of its own server")
		}
	}
	if err := transporttest.Publish(t, e, natstest.Event("a", 2)); err != nil {
		t.Error(err)
	}
	left := 0
	for _, c := range consumers {
		if c.IsConnected() {
			left++
		}
	}
	if left < maxConsumers-1 {
		t.Errorf("%d of %d consumers are left", left, maxConsumers)
	}
}

// connected makes a connection as the bridge does and reports whether the server has accepted it.
func connected(e *Publisher) bool {
	c, err := e.connect(natsgo.NoReconnect())
	if err != nil {
		return false
	}
	defer c.Close()
	return true
}
