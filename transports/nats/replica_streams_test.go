package nats

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// unfit is a stream that replicas do not use.
type unfit struct {
	name   string
	stream string // by its suffix
	change func(*jetstream.StreamConfig)
	want   string // in the error
}

func unfitStreams() []unfit {
	const intake, state, events, notices = intakeSuffix, stateSuffix, "", QuarantineStream
	return []unfit{
		{"discards", intake, func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld }, "set discard to new"},
		{"limits", intake, func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 7 }, "set max_msgs_per_subject to -1"},
		{"other subjects", intake, func(c *jetstream.StreamConfig) { c.Subjects = []string{"other.*"} }, "set NATS_STREAM"},
		{"no ttl", intake, func(c *jetstream.StreamConfig) { c.AllowMsgTTL = false }, "set allow_msg_ttl to true"},
		{"forgets", intake, func(c *jetstream.StreamConfig) { c.MaxAge = time.Minute }, "raise max_age to 10m0s"},
		{"no number", intake, func(c *jetstream.StreamConfig) { c.Metadata = nil }, metadataPartitions},
		{"another number", intake, func(c *jetstream.StreamConfig) { c.Metadata[metadataPartitions] = "5" },
			"NATS_PARTITIONS: is 2, and stream"},
		{"no acknowledgements", intake, func(c *jetstream.StreamConfig) { c.NoAck = true }, "set no_ack to false"},
		{"memory", state, func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage }, "use file storage"},
		{"history", state, func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 2 }, "set max_msgs_per_subject to 1"},
		{"no batches", state, func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = false }, "set allow_atomic to true"},
		{"direct", state, func(c *jetstream.StreamConfig) { c.AllowDirect = true }, "set allow_direct to false"},
		{"state expires", state, func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }, "set max_age to 0"},
		{"foreign", events, func(c *jetstream.StreamConfig) { c.Sources, c.Subjects = nil, []string{"live.R.>"} },
			"was not made for replicas"},
		{"foreign notices", notices, func(c *jetstream.StreamConfig) {
			c.Sources, c.Subjects = nil, []string{"live.quarantine.*"}
		}, "or set QUARANTINE_TOPIC to the empty string"},
		{"other source", events, func(c *jetstream.StreamConfig) { c.Sources[0].Name = "OTHER" },
			"was not made for replicas"},
		{"sourced twice", events, func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }, "raise max_age above"},
		{"expires as its source does", events, func(c *jetstream.StreamConfig) { c.AllowMsgTTL = true },
			"has allow_msg_ttl, with which events end after"},
		{"full", events, func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardNew }, "set discard to old"},
		{"small messages", events, func(c *jetstream.StreamConfig) { c.MaxMsgSize = 100 }, "set max_msg_size to -1"},
		{"counter", notices, func(c *jetstream.StreamConfig) { c.AllowMsgCounter = true }, "is a counter stream"},
		{"small", events, func(c *jetstream.StreamConfig) { c.MaxMsgs = 100 }, "raise max_msgs to 10000"},
	}
}

// TestUnfitReplicaStreams: a stream that would lose something, or that is somebody else's, is refused, and the error
// says what to do.
func TestUnfitReplicaStreams(t *testing.T) {
	t.Parallel()
	for _, c := range unfitStreams() {
		t.Run(c.name, func(t *testing.T) {
			s := natstest.Start(t, &server.Options{})
			js, o := s.JetStream(t), replicaOptions(t, s.URL, "R")
			o.Partitions, o.Quarantine = 2, "live.quarantine"
			for _, made := range o.replicaStreams() {
				want := made.want
				if want.Name == "R"+c.stream || want.Name == c.stream {
					c.change(&want)
				}
				if _, err := js.CreateStream(t.Context(), want); err != nil {
					t.Fatal(err)
				}
			}
			if err := checkOnce(t, o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the check says %v", err)
			}
		})
	}
}

// checkOnce checks the streams as a replica does that begins.
func checkOnce(t *testing.T, o Options) error {
	t.Helper()
	r, err := newReplicas(o, "group")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close(context.Background()) }()
	transporttest.Eventually(t, "it is connected", func() bool { return r.current.Load().conn.IsConnected() })
	return r.checkStreams(t.Context(), 10*time.Second)
}

// TestReplicaStreamsLost: streams that go on from one another are not created again one by one; the one that only
// follows is.
func TestReplicaStreamsLost(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	js, o := s.JetStream(t), replicaOptions(t, s.URL, "R")
	r := openReplicas(t, o)
	if err := r.Append(t.Context(), 0, []byte("input")); err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), "R"); err != nil {
		t.Fatal(err)
	}
	transporttest.Eventually(t, "the output is there again", func() bool {
		_, err := js.Stream(t.Context(), "R")
		return err == nil
	})
	if err := js.DeleteStream(t.Context(), "R"+stateSuffix); err != nil {
		t.Fatal(err)
	}
	transporttest.Eventually(t, "that is noticed", func() bool { return !r.Connected() })
	err := checkOnce(t, o)
	if err == nil || !strings.Contains(err.Error(), "stream R_STATE at NATS was deleted, and stream R_INTAKE goes on") {
		t.Errorf("the check says %v", err)
	}
}

// TestServerVersion: a server without atomic batches is refused.
func TestServerVersion(t *testing.T) {
	t.Parallel()
	for version, fits := range map[string]bool{"2.11.9": false, "1.4.0": false, "2.12.0": true, "2.15.2": true,
		"3.0.0-beta": true, "dev": true} {
		if err := checkVersion(version); (err == nil) != fits {
			t.Errorf("%s: %v", version, err)
		}
	}
}

// TestReplicaSettings: what replicas cannot do is refused, by the name of the setting.
func TestReplicaSettings(t *testing.T) {
	t.Parallel()
	o := DefaultOptions()
	o.Stream = "é"
	err := o.CheckReplicas("a.b")
	for _, want := range []string{"NATS_URL", "NATS_STREAM", "INTAKE_GROUP"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v says nothing of %s", err, want)
		}
	}
	o.Stream, o.URL = "LIVE", "nats://127.0.0.1"
	if err := o.CheckReplicas("livebridge"); err != nil {
		t.Error(err)
	}
}

// TestReplicaOfOneServer: one replica of the streams is enough to try it out, and is warned of.
func TestReplicaOfOneServer(t *testing.T) {
	t.Parallel()
	o, logs := observed(replicaOptions(t, natstest.Start(t, &server.Options{}).URL, "R"))
	openReplicas(t, o)
	transporttest.AwaitLog(t, logs, "the stream has one replica: what many replicas of livebridge share")
}
