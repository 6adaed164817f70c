package nats

import (
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// TestProbe: it stores and creates nothing, and says what is missing.
func TestProbe(t *testing.T) {
	t.Parallel()
	s := startServer(t, &server.Options{})
	o := quickOptions(s.url)
	warnings, err := Probe(t.Context(), o)
	if err != nil || len(warnings) != 2 || !strings.Contains(warnings[0], o.Stream+" does not exist") {
		t.Errorf("without streams: %v, %q", err, warnings)
	}
	again, err := Probe(t.Context(), o)
	if err != nil || len(again) != 2 {
		t.Errorf("it has created a stream: %v, %q", err, again)
	}
	s.s.Shutdown()
	s.s.WaitForShutdown()
	if _, err := Probe(t.Context(), o); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("a server that is away: %v", err)
	}
}

// TestProbeOfRights: the rights of the handbook are enough, and with one less the error names it.
func TestProbeOfRights(t *testing.T) {
	t.Parallel()
	s := startServer(t, publishing().options())
	withStreams(t, s)
	js := connect(t, s.url, nats.UserInfo("admin", "secret"))
	before := len(records(t, js, "LIVE_EVENTS"))
	if warnings, err := Probe(t.Context(), bridgeOptions(s.url)); err != nil {
		t.Errorf("%v, %q", err, warnings)
	}
	if after := len(records(t, js, "LIVE_EVENTS")); after != before {
		t.Errorf("it has stored %d messages", after-before)
	}
	for _, right := range publishing().publish {
		s := startServer(t, publishing().allExcept(right).options())
		withStreams(t, s)
		_, err := Probe(t.Context(), bridgeOptions(s.url))
		if prefix := strings.TrimRight(right, ">*"); err == nil || !strings.Contains(err.Error(), prefix) {
			t.Errorf("without %s: %v", right, err)
		}
	}
}
