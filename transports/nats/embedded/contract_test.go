package embedded

import (
	"testing"
	"time"

	"livebridge/transports/nats"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// TestContract: what every transport must do, this one does too.
func TestContract(t *testing.T) {
	t.Parallel()
	h := natstest.Contract()
	h.Open = open
	h.Away = 5 * time.Second
	transporttest.Run(t, h)
}

// open starts a server of its own.
func open(t *testing.T, binary bool) *transporttest.Topic {
	o := testOptions()
	o.Binary = binary
	e, err := Start(Options{StoreDir: t.TempDir(), Listen: "127.0.0.1:0", watch: time.Hour}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { transporttest.CloseSoon(e) })
	read := func(stream string) func(t *testing.T) []transporttest.Record {
		return func(t *testing.T) []transporttest.Record { return natstest.Records(t, adminOf(t, e), stream) }
	}
	return &transporttest.Topic{
		Publisher: e.Publisher, Events: read(o.Stream), Quarantine: read(nats.QuarantineStream),
		Stop: func(*testing.T) { e.host.stop() },
		Start: func(t *testing.T) {
			if err := e.restart(); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func testOptions() nats.Options {
	o := nats.DefaultOptions()
	o.AckTimeout = 2 * time.Second
	return o
}
