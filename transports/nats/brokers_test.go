//go:build brokers

package nats

import (
	"testing"
	"time"

	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// TestContractBrokers runs the contract against three real nats-servers that form a cluster, with three copies of each
// stream. Stopping the broker kills all of them.
func TestContractBrokers(t *testing.T) {
	c := natstest.StartCluster(t)
	n := 0
	h := contract(func(t *testing.T, o Options) *transporttest.Topic {
		n++
		removeStreams(t, c.URLs())
		o.URL, o.Replicas, o.AckTimeout = c.URLs(), 3, 5*time.Second
		p, err := Dial(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { transporttest.CloseSoon(p) })
		read := func(stream string) func(*testing.T) []transporttest.Record {
			return func(t *testing.T) []transporttest.Record {
				return natstest.Records(t, natstest.Connect(t, c.URLs()), stream)
			}
		}
		return &transporttest.Topic{
			Publisher: p, Events: read(o.Stream), Quarantine: read(QuarantineStream),
			Consume: consumes(o), Foreign: func(t *testing.T, subject string, payload []byte) {
				natstest.Foreign(t, natstest.Connect(t, c.URLs()), subject, payload)
			},
			Stop: func(*testing.T) { c.KillAll() }, Start: func(t *testing.T) { c.BeginAll(t) },
		}
	})
	h.Away, h.Restart = 15*time.Second, 30*time.Second
	transporttest.Run(t, h)
	transporttest.RunConsumer(t, h)
}

// removeStreams removes the streams of the test before.
func removeStreams(t *testing.T, urls string) {
	t.Helper()
	js := natstest.Connect(t, urls)
	for end := time.Now().Add(time.Minute); ; {
		left, err := 0, error(nil)
		names := js.StreamNames(t.Context())
		for name := range names.Name() {
			left++
			err = js.DeleteStream(t.Context(), name)
		}
		if err == nil {
			err = names.Err()
		}
		if err == nil && left == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
		<-time.After(50 * time.Millisecond)
	}
}
