package nats

import (
	"strings"
	"testing"

	"livebridge/transports/nats/natstest"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// TestProbe: it stores and creates nothing, and says what is missing.
func TestProbe(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	o := quickOptions(s.URL)
	warnings, err := Probe(t.Context(), o)
	if err != nil || len(warnings) != 2 || !strings.Contains(warnings[0], o.Stream+" does not exist") {
		t.Errorf("without streams: %v, %q", err, warnings)
	}
	again, err := Probe(t.Context(), o)
	if err != nil || len(again) != 2 {
		t.Errorf("it has created a stream: %v, %q", err, again)
	}
	s.Kill()
	if _, err := Probe(t.Context(), o); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("a server that is away: %v", err)
	}
}

// TestProbeOfRights: the rights of the handbook are enough, and with one less the error names it.
func TestProbeOfRights(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, publishing().options())
	withStreams(t, s)
	js := natstest.Connect(t, s.URL, nats.UserInfo("admin", "secret"))
	before := len(natstest.Records(t, js, "LIVE_EVENTS"))
	if warnings, err := Probe(t.Context(), bridgeOptions(s.URL)); err != nil {
		t.Errorf("%v, %q", err, warnings)
	}
	if after := len(natstest.Records(t, js, "LIVE_EVENTS")); after != before {
		t.Errorf("it has stored %d messages", after-before)
	}
	for _, right := range publishing().publish {
		s := natstest.Start(t, publishing().allExcept(right).options())
		withStreams(t, s)
		_, err := Probe(t.Context(), bridgeOptions(s.URL))
		if prefix := strings.TrimRight(right, ">*"); err == nil || !strings.Contains(err.Error(), prefix) {
			t.Errorf("without %s: %v", right, err)
		}
	}
}
