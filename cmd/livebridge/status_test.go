package main

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
	"livebridge/bridge/status"
)

// shownBy returns what a path of the admin port has.
func shownBy[T any](t *testing.T, p *program, path string) (value T) {
	t.Helper()
	answer, err := http.Get("http://" + p.admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// TestStatus: the page of a running service has its sessions, keys, refusals and settings.
func TestStatus(t *testing.T) {
	t.Parallel()
	service := launch(t, t.TempDir(), prefix+"NATS_EMBEDDED_TOKEN=the-token-of-consumers")
	begun := time.Now().Truncate(time.Second)
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", begun.Unix(), time.Now(), ""), 200)
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room2", begun.Unix(), time.Unix(1_600_000_000, 0), ""), 401)
	const lane = "stream:push.example.com/live/room1"
	var s status.State
	until(t, "the event is published and shown", func() bool {
		s = shownBy[status.State](t, service, "/api/v1/status")
		return s.Sessions.Total == 1 && s.Sessions.Shown[0].Last != nil && s.Review.Quarantine == 1
	})
	shown := s.Sessions.Shown[0]
	if shown.Lane != lane || !shown.Since.Equal(begun) || !strings.HasSuffix(shown.Last.Type, ".publish") {
		t.Errorf("%+v", shown)
	}
	if len(s.Keys) != 1 || s.Keys[0].Uses != 1 || s.Broker.Transport != "nats" || s.Outbox.JournalMax == 0 ||
		s.Port.Limit == 0 || s.Health.Level != status.LevelOK || len(s.Problems) != 0 {
		t.Errorf("%+v", s)
	}
	want := bridge.TopicState{Partitions: 1, Replicas: 1, InSync: 1, Idempotent: true}
	if topic := s.Broker.Topic; topic == nil || *topic != want {
		t.Errorf("the stream is %+v", topic)
	}
	for name, want := range map[string]float64{"partitions": 1, "replicas": 1, "in_sync_replicas": 1} {
		if got := service.metrics(t)["livebridge_topic_"+name]; got != want {
			t.Errorf("livebridge_topic_%s is %v", name, got)
		}
	}
	if r := shownBy[[]status.Refusal](t, service, "/api/v1/refusals"); len(r) != 1 || r[0].Status != 401 ||
		!strings.HasSuffix(r[0].Lane, "room2") {
		t.Errorf("%+v", r)
	}
	if l := shownBy[status.Lane](t, service, "/api/v1/lane?name="+lane); !l.Open || len(l.Published) != 1 {
		t.Errorf("%+v", l)
	}
	masked := 0
	for _, set := range shownBy[[]status.Setting](t, service, "/api/v1/settings") {
		if strings.HasSuffix(set.Name, "_KEY") && set.Source == "environment" || set.Name == prefix+"NATS_EMBEDDED_TOKEN" {
			masked++
			if set.Value != "(set, not shown)" {
				t.Errorf("%+v", set)
			}
		}
	}
	if masked != 2 {
		t.Errorf("%d secrets are set", masked)
	}
	service.terminate(t)
}

// TestClientCertificate: when it expires, on the page and as a metric; of a file that is replaced, the new one.
func TestClientCertificate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "client.pem")
	s, registry := &settings{KafkaCertFile: path}, prometheus.NewRegistry()
	registerClientCertificate(s, registry)
	expiry := func() float64 {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		return families[0].GetMetric()[0].GetGauge().GetValue()
	}
	if got := expiry(); got != 0 {
		t.Errorf("without a file it is %v", got)
	}
	certify(t, path, path+".key")
	setting, c := s.clientCertificate()
	if c == nil || setting != "KAFKA_TLS_CERT_FILE" || expiry() != float64(c.NotAfter.Unix()) {
		t.Errorf("%s: %v, and %v", setting, c, expiry())
	}
}
