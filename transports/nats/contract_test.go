package nats

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// contract is what the suite has to know about NATS.
func contract(open func(*testing.T, Options) *transporttest.Topic) transporttest.Harness {
	h := natstest.Contract()
	h.Away = 2*testOptions().AckTimeout + time.Second
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
	return h
}

func testOptions() Options {
	o := DefaultOptions()
	o.AckTimeout = 2 * time.Second
	return o
}

func TestContractServer(t *testing.T) {
	t.Parallel()
	h := contract(func(t *testing.T, o Options) *transporttest.Topic {
		s := natstest.Start(t, &server.Options{})
		o.URL = s.URL
		p, err := Dial(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { transporttest.CloseSoon(p) })
		read := func(stream string) func(*testing.T) []transporttest.Record {
			return func(t *testing.T) []transporttest.Record { return natstest.Records(t, s.JetStream(t), stream) }
		}
		return &transporttest.Topic{
			Publisher: p, Events: read(o.Stream), Quarantine: read(QuarantineStream),
			Consume: consumes(o), Foreign: func(t *testing.T, subject string, payload []byte) {
				natstest.Foreign(t, s.JetStream(t), subject, payload)
			},
			Stop: func(*testing.T) { s.Kill() }, Start: func(t *testing.T) { s.Restart(t) },
		}
	})
	transporttest.Run(t, h)
	transporttest.RunConsumer(t, h)
}

// consumes is Consume as the suite calls it.
func consumes(o Options) transporttest.Consume {
	return func(ctx context.Context, all bool, f func(transporttest.Record) error) error {
		start := StartNew
		if all {
			start = StartAll
		}
		return Consume(ctx, o, start, func(r Record) error { return f(natstest.RecordOf(r.Subject, r.Header, r.Payload)) })
	}
}
