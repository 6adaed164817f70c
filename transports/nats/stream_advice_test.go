package nats

import (
	"strings"
	"testing"
	"time"

	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap/zapcore"
)

// TestWarnings: what is worth knowing of a stream that is fit is said once.
func TestWarnings(t *testing.T) {
	t.Parallel()
	for text, change := range map[string]func(*jetstream.StreamConfig){
		"interest":       func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy },
		"work-queue":     func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy },
		"per subject":    func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 5 },
		"discard new":    func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardNew },
		"max_msgs":       func(c *jetstream.StreamConfig) { c.MaxMsgs = 1_000_000 },
		"NATS_MAX_BYTES": func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 30 },
		"NATS_MAX_AGE":   func(c *jetstream.StreamConfig) { c.MaxAge = 48 * time.Hour },
		"DEDUPE_WINDOW":  func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"rollups":        func(c *jetstream.StreamConfig) { c.AllowRollup = true },
		"duplicate":      func(c *jetstream.StreamConfig) { c.Duplicates = time.Second },
		"transforms": func(c *jetstream.StreamConfig) {
			c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: "live.events.>", Destination: "moved.>"}
		},
		"one replica": func(*jetstream.StreamConfig) {},
		"a lane":      func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 5 },
		"its lane then": func(c *jetstream.StreamConfig) {
			c.MaxMsgsPerSubject, c.Discard, c.DiscardNewPerSubject = 5, jetstream.DiscardNew, true
		},
	} {
		t.Run(text, func(t *testing.T) {
			s := natstest.Start(t, &server.Options{})
			o, logs := observed(quickOptions(s.URL))
			o.Dedupe, o.Quarantine = 24*time.Hour, ""
			config := eventsStream(&o).want
			change(&config)
			natstest.Must(s.JetStream(t).CreateStream(t.Context(), config))
			p := dial(t, o)
			if err := transporttest.Publish(t, p, natstest.Event("a", 1)); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				<-time.After(o.CheckInterval) // checks of it
			}
			if n := awaitLog(t, logs, zapcore.WarnLevel, text); n != 1 {
				t.Errorf("it is warned of %d times: %v", n, logs.All())
			}
		})
	}
}

// inProcess is a server in this process that nobody connects to.
type inProcess struct{ nats.InProcessConnProvider }

// TestReplicasSuffice: a stream with three replicas is not warned of, and neither is that of the embedded server, which
// publishes again what is not known to be on disk.
func TestReplicasSuffice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o        Options
		replicas int
	}{{Options{}, 3}, {Options{InProcess: inProcess{}}, 1}} {
		c.o.Replicas = c.replicas
		s := eventsStream(&c.o)
		s.opts = &c.o
		for _, text := range s.warnings(s.want) {
			if strings.Contains(text, "one replica") {
				t.Errorf("%d replicas: %s", c.replicas, text)
			}
		}
	}
}

// TestFewerReplicas is warned of.
func TestFewerReplicas(t *testing.T) {
	t.Parallel()
	servers := startCluster(t)
	o, logs := observed(quickOptions(servers[0].ClientURL()))
	o.Replicas, o.Quarantine = 3, ""
	p := dial(t, o)
	if err := transporttest.Publish(t, p, natstest.Event("a", 1)); err != nil {
		t.Fatal(err)
	}
	js := natstest.Connect(t, o.URL)
	config := natstest.Led(t, js, o.Stream).CachedInfo().Config
	config.Replicas = 1
	natstest.Must(js.UpdateStream(t.Context(), config))
	awaitLog(t, logs, zapcore.WarnLevel, "fewer replicas than before")
	awaitLog(t, logs, zapcore.WarnLevel, "NATS_REPLICAS")
	if err := transporttest.Publish(t, p, natstest.Event("a", 2)); err != nil {
		t.Fatal(err)
	}
}
