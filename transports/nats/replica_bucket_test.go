package nats

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/transports/nats/lease"
	"livebridge/transports/nats/natstest"
)

// TestUnfitBucket: a bucket that would lose leases, or take none, is refused at the start and by the probe, and both
// say what to do.
func TestUnfitBucket(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*jetstream.StreamConfig)
		want   string
	}{
		"forgets": {func(c *jetstream.StreamConfig) { c.MaxAge, c.Duplicates = 20*time.Second, time.Second },
			"stream KV_R_group at NATS forgets leases after 20s: raise max_age to 2m0s"},
		"history":  {func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 5 }, "set max_msgs_per_subject to 1 (it is 5)"},
		"discards": {func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld }, "set discard to new"},
		"full":     {func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 20 }, "set max_bytes and max_msgs to -1"},
		"memory":   {func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage }, "use file storage"},
		"values":   {func(c *jetstream.StreamConfig) { c.MaxMsgSize = 20 }, "set max_msg_size to -1"},
		"other": {func(c *jetstream.StreamConfig) { c.Subjects = []string{"$KV.R_group.a"} },
			"or set INTAKE_GROUP to another name"},
		"sources": {func(c *jetstream.StreamConfig) { c.Sources = []*jetstream.StreamSource{{Name: "R_STATE"}} },
			"has sources"},
	} {
		t.Run(name, func(t *testing.T) {
			s := natstest.Start(t, &server.Options{})
			js, o := s.JetStream(t), replicaOptions(t, s.URL, "R")
			bucketOf(t, js, c.change)
			if err := checkOnce(t, o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the check says %v", err)
			}
			if _, err := ProbeReplicas(t.Context(), o, "group"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the probe says %v", err)
			}
		})
	}
}

// bucketOf makes a bucket of another configuration.
func bucketOf(t *testing.T, js jetstream.JetStream, change func(*jetstream.StreamConfig)) {
	t.Helper()
	kv := natstest.Must(js.CreateKeyValue(t.Context(), lease.Config("R_group", 1)))
	config := natstest.Must(kv.Status(t.Context())).(*jetstream.KeyValueBucketStatus).StreamInfo().Config
	if err := js.DeleteKeyValue(t.Context(), "R_group"); err != nil {
		t.Fatal(err)
	}
	change(&config)
	natstest.Must(js.CreateStream(t.Context(), config))
}

// TestBucketFits: the bucket that a replica makes is none of these, and one of fewer replicas, or that forgets nothing,
// is told of.
func TestBucketFits(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	js, o := s.JetStream(t), replicaOptions(t, s.URL, "R")
	natstest.Must(js.CreateKeyValue(t.Context(), lease.Config("R_group", 1)))
	if err := checkOnce(t, o); err != nil {
		t.Error(err)
	}
	config := natstest.Must(js.Stream(t.Context(), "KV_R_group")).CachedInfo().Config
	config.MaxAge = 0
	natstest.Must(js.UpdateStream(t.Context(), config))
	o.Replicas = 3
	warnings, err := ProbeReplicas(t.Context(), o, "group")
	all := strings.Join(warnings, "\n")
	if err != nil || !strings.Contains(all, "stream KV_R_group: the leases have fewer replicas than NATS_REPLICAS") ||
		!strings.Contains(all, "stream KV_R_group: the leases of replicas that have ended are never forgotten") {
		t.Errorf("%q %v", warnings, err)
	}
}
