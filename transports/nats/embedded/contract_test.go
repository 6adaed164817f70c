package embedded

import (
	"context"
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
	h.Open = func(t *testing.T, binary bool) *transporttest.Topic {
		o := testOptions()
		o.Binary = binary
		return open(t, o)
	}
	h.Patient = func(t *testing.T) *transporttest.Topic {
		o := testOptions()
		o.AckTimeout = time.Minute
		return open(t, o)
	}
	h.Away = 5 * time.Second
	transporttest.Run(t, h)
	transporttest.RunConsumer(t, h)
}

// open starts a server of its own.
func open(t *testing.T, o nats.Options) *transporttest.Topic {
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
		Consume: e.consuming, Foreign: func(t *testing.T, subject string, payload []byte) {
			natstest.Foreign(t, adminOf(t, e), subject, payload)
		},
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

// consuming consumes as somebody outside.
func (e *Publisher) consuming(ctx context.Context, all bool, f func(transporttest.Record) error) error {
	o, start := testOptions(), nats.StartNew
	o.URL = e.ClientURL()
	if all {
		start = nats.StartAll
	}
	return nats.Consume(ctx, o, start, func(r nats.Record) error {
		return f(natstest.RecordOf(r.Subject, r.Header, r.Payload))
	})
}
