package nats

import (
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/transports/nats/natstest"
)

// TestProbeReplicas: the probe creates nothing, and says what is missing, what to know and what cannot be used.
func TestProbeReplicas(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	o, js := replicaOptions(t, s.URL, "R"), s.JetStream(t)
	for range 2 {
		warnings, err := ProbeReplicas(t.Context(), o, "group")
		if err != nil || !strings.Contains(strings.Join(warnings, "\n"), "stream R_STATE does not exist") {
			t.Errorf("%q %v", warnings, err)
		}
	}
	openReplicas(t, o)
	warnings, err := ProbeReplicas(t.Context(), o, "group")
	if err != nil || len(warnings) != 4 || !strings.Contains(warnings[0], "stream R_INTAKE: the stream has one replica") {
		t.Errorf("%q %v", warnings, err)
	}
	have := natstest.Led(t, js, "R_STATE")
	if n := have.CachedInfo().State.LastSeq; n != 0 {
		t.Errorf("it has written %d messages", n)
	}
	config := have.CachedInfo().Config
	config.AllowDirect = true
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if _, err := ProbeReplicas(t.Context(), o, "group"); err == nil || !strings.Contains(err.Error(), "allow_direct") {
		t.Errorf("a state that cannot be used: %v", err)
	}
}
