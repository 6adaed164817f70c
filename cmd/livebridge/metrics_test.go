package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestMetrics plays everything that goes wrong and compares the metrics with what was sent.
func TestMetrics(t *testing.T) {
	t.Parallel()
	keys := allKeys("HMACSHA256")
	service := launch(t, t.TempDir(), keys...)
	log, out := played(t, service, keys, "--count", "3000", "--disorder", "0.5", "--repeat", "0.3", "--forged", "0.1")
	answers := make(map[int]float64)
	for _, s := range readLog(t, log) {
		answers[s.Status]++
	}
	m := service.metrics(t)
	for name, want := range map[string]float64{
		"livebridge_callbacks_accepted_total":                                           answers[200],
		"livebridge_callbacks_refused_total":                                            answers[401] + answers[404],
		`livebridge_callbacks_refused_total{code="404",kind="snapshot",reason="token"}`: answers[404],
		"livebridge_callbacks_lost_total":                                               0,
		"livebridge_unknown_requests_total":                                             0,
		"livebridge_probes_total":                                                       0,
		"livebridge_events_published_total":                                             float64(len(out)),
		"livebridge_publish_duration_seconds_count":                                     float64(len(out)),
		"livebridge_publish_failures_total":                                             0,
		"livebridge_broker_connected":                                                   1,
		"livebridge_broker_available":                                                   1,
		"livebridge_callbacks_duplicate_total":                                          answers[200] - float64(len(out)),
		"livebridge_callback_duration_seconds_count":                                    3000 - answers[404],
		"livebridge_outbox_events":                                                      0,
		"livebridge_outbox_oldest_age_seconds":                                          0,
		"livebridge_held_events":                                                        0,
		"livebridge_quarantine_entries":                                                 0,
		"livebridge_dead_letters":                                                       0,
		"livebridge_journal_failed":                                                     0,
	} {
		if got, found := sum(m, name); got != want || !found {
			t.Errorf("%s is %v (there: %v), want %v", name, got, found, want)
		}
	}
	for _, name := range []string{"livebridge_holds_total", "livebridge_events_marked_total",
		"livebridge_journal_commit_duration_seconds_count", "livebridge_journal_commit_batch_size_sum",
		"livebridge_disk_free_bytes"} {
		if got, _ := sum(m, name); got <= 0 {
			t.Errorf("%s is %v", name, got)
		}
	}
	if info, _ := sum(m, "livebridge_build_info"); info != 1 {
		t.Errorf("livebridge_build_info is %v", info)
	}
	for name := range m {
		if strings.Contains(name, "room") || strings.Contains(name, "push.example.com") {
			t.Errorf("%s has the name of a stream or a domain in it", name)
		}
	}
}

// sum adds a metric's values over all its labels.
func sum(m map[string]float64, name string) (total float64, found bool) {
	for series, value := range m {
		if series == name || strings.HasPrefix(series, name+"{") {
			total, found = total+value, true
		}
	}
	return total, found
}

// TestMetricsOfAnOutage: without a broker the outbox grows in number and in age, and failures are counted; the service
// is ready all the same.
func TestMetricsOfAnOutage(t *testing.T) {
	t.Parallel()
	l := newLoad(t)
	service := launch(t, t.TempDir(), append(l.settings, prefix+"NATS_URL=nats://127.0.0.1:1",
		prefix+"SHUTDOWN_GRACE=1s")...)
	l.begin(t, 0, 500)
	l.end(t)
	until(t, "the outage shows", func() bool {
		m := service.metrics(t)
		failures, _ := sum(m, "livebridge_publish_failures_total")
		connected, registered := m["livebridge_broker_connected"]
		return registered && connected == 0 && m["livebridge_outbox_events"] > 300 &&
			m["livebridge_outbox_oldest_age_seconds"] > 0 && failures > 0
	})
	answer, err := http.Get("http://" + service.admin + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if text, err := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK || err != nil {
		t.Errorf("not ready: %d %s, %v", answer.StatusCode, text, err)
	}
}
