package ingress_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// TestRecentRefusals: equal ones are counted together, the latest is the first, and neither signature, body nor token
// is in them.
func TestRecentRefusals(t *testing.T) {
	now := clock()
	b := newHarness(t, func(s *setup) { s.cfg.Now = func() time.Time { return now } })
	forged := strings.Replace(streamBody(claim()), `"auth_sign":"`, `"auth_sign":"00`, 1)
	for range 3 {
		b.send(post("/live/stream", forged))
	}
	now = now.Add(time.Second)
	b.send(post("/live/snapshot/tokem-of-mine", "{}"))
	b.send(post("/live/stream", streamBody(claim()))) // is no refusal
	got := b.RecentRefusals()
	if len(got) != 2 || got[1].Count != 3 || got[1].Status != 401 || got[1].Lane != "stream:push.example.com/live/room" ||
		got[0].Count != 1 || got[0].Status != 404 || !got[0].At.Equal(now) {
		t.Fatalf("%+v", got)
	}
	now = now.Add(time.Second)
	b.send(post("/live/stream", forged))
	got = b.RecentRefusals()
	if len(got) != 2 || got[0].Count != 4 || !got[0].At.Equal(now) || got[0].Source != "192.0.2.1" {
		t.Errorf("%+v", got)
	}
	for _, secret := range []string{"auth_sign\"", stamp, "tokem-of-mine", key} {
		if strings.Contains(fmt.Sprintf("%+v", got), secret) {
			t.Errorf("%q is in %+v", secret, got)
		}
	}
}

// TestRecentRefusalsAreBounded: the oldest go.
func TestRecentRefusalsAreBounded(t *testing.T) {
	b := newHarness(t, nil)
	for i := range 300 {
		b.send(post(fmt.Sprint("/live/x", i), ""))
	}
	got := b.RecentRefusals()
	if len(got) != 50 || got[0].Lane != "/live/x299" || got[49].Lane != "/live/x250" {
		t.Errorf("%d, from %s to %s", len(got), got[0].Lane, got[len(got)-1].Lane)
	}
}

// TestConnectionsAreCounted: those that are open, and how many may be.
func TestConnectionsAreCounted(t *testing.T) {
	b := newHarness(t, func(s *setup) { s.cfg.MaxConnections = 7 })
	at := b.listen(t)
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	eventually(t, "the connection is counted", func() bool { return b.gauge(t, "livebridge_connections") == 1 })
	if open, limit := b.Connections(); open != 1 || limit != 7 || b.gauge(t, "livebridge_connections_limit") != 7 {
		t.Errorf("%d of %d", open, limit)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its end is counted", func() bool { return b.gauge(t, "livebridge_connections") == 0 })
}

// TestExpiries: how far ahead the expiry of valid signatures is, of expired ones too, and of forged ones not.
func TestExpiries(t *testing.T) {
	now := clock().Add(-90 * time.Second)
	b := newHarness(t, func(s *setup) { s.cfg.Now = func() time.Time { return now } })
	b.send(post("/live/stream", streamBody(claim())))
	now = clock().Add(400 * time.Second) // past AUTH_SKEW
	b.send(post("/live/stream", streamBody(claim())))
	b.send(post("/live/stream", strings.Replace(streamBody(claim()), `"auth_sign":"`, `"auth_sign":"00`, 1)))
	h := b.metric(t, "livebridge_signature_expiry_seconds", "stream").GetHistogram()
	if h.GetSampleCount() != 2 || h.GetSampleSum() != 90-400 {
		t.Errorf("%d, together %v s", h.GetSampleCount(), h.GetSampleSum())
	}
	h = b.metric(t, "livebridge_signature_expiry_seconds", "record").GetHistogram()
	if h == nil || h.GetSampleCount() != 0 {
		t.Error("recordings have no histogram, or an observation")
	}
}
