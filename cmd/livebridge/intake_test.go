package main

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"

	"livebridge/bridge/store"
)

// replicaOf starts a replica whose broker is away.
func replicaOf(t *testing.T, dir string, settings ...string) *app {
	t.Helper()
	return startApp(t, dir, append([]string{"TRANSPORT", "kafka", "KAFKA_BROKERS", "127.0.0.1:1", "INTAKE", "broker",
		"INTAKE_BUDGET", "50ms"}, settings...)...)
}

// TestIntake: with INTAKE=broker a callback that the broker does not acknowledge is answered as INTAKE_FALLBACK says.
func TestIntake(t *testing.T) {
	for fallback, want := range map[string]int{"journal": http.StatusOK, "refuse": http.StatusServiceUnavailable} {
		a := replicaOf(t, t.TempDir(), "INTAKE_FALLBACK", fallback)
		stop, ended := runApp(t, a)
		url := "http://" + a.callbackListener.Addr().String() + "/live/stream"
		if status := newProvider().send(t.Context(), url, "room1", 0); status != want {
			t.Errorf("%s: answered %d, want %d", fallback, status, want)
		}
		if ready := a.ready(); (ready == nil) != (want == http.StatusOK) {
			t.Errorf("%s: readiness is %v", fallback, ready)
		}
		if a.engine.leads() {
			t.Errorf("%s: a replica that owns nothing leads", fallback)
		}
		stop()
		returns(t, ended)
	}
}

// TestIntakeChanges: what one INTAKE has accepted and not published is not left behind by the other.
func TestIntakeChanges(t *testing.T) {
	t.Parallel()
	accept := func(a *app) {
		t.Helper()
		stop, ended := runApp(t, a)
		url := "http://" + a.callbackListener.Addr().String() + "/live/stream"
		if status := newProvider().send(t.Context(), url, "room1", 0); status != http.StatusOK {
			t.Fatalf("answered %d", status)
		}
		stop()
		returns(t, ended)
	}
	refused := func(dir, want string, settings ...string) {
		t.Helper()
		s, err := load(with(append(settings, "LISTEN", "127.0.0.1:0", "ADMIN_LISTEN", "127.0.0.1:0", "DATA_DIR", dir,
			"TRANSPORT", "kafka", "KAFKA_BROKERS", "127.0.0.1:1")...))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := start(s, zap.NewNop()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	replica, local := t.TempDir(), t.TempDir()
	accept(replicaOf(t, replica))
	refused(replica, "LIVEBRIDGE_INTAKE: is local, and")
	accept(startApp(t, local, "TRANSPORT", "kafka", "KAFKA_BROKERS", "127.0.0.1:1", "SHUTDOWN_GRACE", "1s"))
	refused(local, "has 1 events that are not published", "INTAKE", "broker")

	q, err := store.OpenQueue(store.QueueOptions{Dir: filepath.Join(replica, "intake"), FS: store.Disk(),
		MaxBytes: 1 << 20,
		Log:      zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	waiting, err := q.Read(0, 10)
	if err != nil || len(waiting) != 1 {
		t.Fatalf("%d callbacks wait: %v", len(waiting), err)
	}
	if err := q.Remove(t.Context(), waiting); err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	accept(startApp(t, replica, "NATS_EMBEDDED_LISTEN", "127.0.0.1:0"))
}

// TestReplicaOfOtherTopics: topics that cannot be shared end the service and say so, whatever it has queued meanwhile.
func TestReplicaOfOtherTopics(t *testing.T) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "live.events"),
		kfake.SeedTopics(3, "live.events.intake"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	a := startApp(t, t.TempDir(), "TRANSPORT", "kafka", "KAFKA_BROKERS", broker.ListenAddrs()[0], "INTAKE", "broker")
	_, ended := runApp(t, a)
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "live.events.intake has 3 partitions and live.events has 2") {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it goes on")
	}
}

// TestReplicaCommandsNeedTheService: there is no journal to look into without it.
func TestReplicaCommandsNeedTheService(t *testing.T) {
	_, errOut, code := commandWith(t, []string{prefix + "DATA_DIR=" + t.TempDir(), prefix + "INTAKE=broker",
		prefix + "TRANSPORT=kafka"}, "journal", "inspect")
	if code != exitUsage || !strings.Contains(errOut, "no replica runs on") {
		t.Errorf("%d %s", code, errOut)
	}
}

// TestIntakeSettings: what many replicas do not support is refused, and so are their settings where there are none.
func TestIntakeSettings(t *testing.T) {
	for _, c := range []struct {
		settings []string
		want     string
	}{
		{[]string{"INTAKE", "cluster"}, "use one of local, broker"},
		{[]string{"INTAKE", "broker"}, "NATS_URL: is empty, and INTAKE=broker does not support the embedded server"},
		{[]string{"INTAKE", "broker", "NATS_URL", "nats://127.0.0.1:1", "INTAKE_GROUP", "a.b"}, "INTAKE_GROUP: \"a.b\""},
		{[]string{"INTAKE_FALLBACK", "refuse"}, "INTAKE_FALLBACK: is set although INTAKE is local"},
		{[]string{"INTAKE", "broker", "TRANSPORT", "kafka", "INTAKE_BUDGET", "0s"}, "INTAKE_BUDGET: 0s is too short"},
		{[]string{"INTAKE", "broker", "TRANSPORT", "kafka", "JOURNAL_KEEP", "1h"},
			"JOURNAL_KEEP: is not supported with INTAKE=broker, where the broker keeps the history: unset it; how long"},
		{[]string{"INTAKE", "broker", "TRANSPORT", "kafka", "KAFKA_TOPIC", "live.{app}"}, "KAFKA_TOPIC"},
	} {
		if _, err := load(with(c.settings...)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.settings, err, c.want)
		}
	}
	supported := []string{"INTAKE", "broker", "TRANSPORT", "kafka", "SESSION_EVENTS", "true", "SESSION_STALE_AFTER", "1h",
		"RECONCILE_INTERVAL", "1m", "PROVIDER_REGION", "x", "DOMAINS", "a.example.com"}
	if _, err := load(with(supported...)); err != nil {
		t.Error(err)
	}
}
