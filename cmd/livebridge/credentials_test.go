package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/transports/nats/natstest"
)

// swap replaces a file in a directory as Kubernetes does: it is behind a link to a folder, ..data, which is swapped.
func swap(t *testing.T, dir, name, content string) {
	t.Helper()
	folder, err := os.MkdirTemp(dir, "..")
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600),
		os.Symlink(filepath.Base(folder), filepath.Join(dir, "..tmp")),
		os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestRotatedToken changes the broker's token as Kubernetes does, by swapping a symbolic link, and the broker a moment
// later: everything that was answered 200 comes out once and in order. An empty file in between changes nothing.
func TestRotatedToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(token string) { t.Helper(); swap(t, dir, "token", token) }
	put("first")
	options := server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, StoreDir: natstest.StoreDir(t), JetStream: true,
		JetStreamMaxStore: natstest.StoreLimit, NoSigs: true, NoLog: true, Authorization: "first"}
	s := brokerWith(t, options)
	service := launch(t, t.TempDir(), prefix+"NATS_URL="+s.ClientURL(),
		prefix+"NATS_TOKEN_FILE="+filepath.Join(dir, "..data", "token"))
	p, room := newProvider(), 0
	play := func() {
		t.Helper()
		room++
		p.play(t.Context(), "http://"+service.listen+"/live/stream", fmt.Sprint("room", room), 0, 10)
	}
	const gauge = "livebridge_broker_credentials_last_reload_successful"
	play()
	until(t, "events are published", func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
	put("")
	until(t, "the empty file is noticed", func() bool { return service.metrics(t)[gauge] == 0 })
	play()
	until(t, "events are published with the token before it",
		func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
	put("second")
	until(t, "the new file is active", func() bool { return service.metrics(t)[gauge] == 1 })
	play()
	until(t, "the broker refuses a token that it does not know yet",
		func() bool { return service.metrics(t)["livebridge_outbox_events"] > 0 })
	options.Authorization, options.Port = "second", portOf(t, s)
	if err := s.ReloadOptions(&options); err != nil {
		t.Fatal(err)
	}
	until(t, "events are published with the new token",
		func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
	play()
	p.judge(t, strings.Replace(s.ClientURL(), "nats://", "nats://second@", 1))
	if err := service.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := service.end(t); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	log := service.log.String()
	for text, want := range map[string]int{
		`"error":"LIVEBRIDGE_NATS_TOKEN_FILE: `: 1, `"setting":"LIVEBRIDGE_NATS_TOKEN_FILE"`: 1,
		"NATS rejected the credentials": 1, "broker connected": 2, "broker credentials reloaded": 1,
	} {
		if n := strings.Count(log, text); n != want {
			t.Errorf("%q is in the log %d times, want %d\n%s", text, n, want, log)
		}
	}
}

// TestBrokenCredentialsAtTheStart: what a file of the broker's has wrong is a wrong setting.
func TestBrokenCredentialsAtTheStart(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kafka := []string{"TRANSPORT", "kafka", "KAFKA_TLS", "true", "KAFKA_SASL", "plain", "KAFKA_USER", "me",
		"KAFKA_PASSWORD", "x"}
	for setting, others := range map[string][]string{
		"NATS_EMBEDDED_TOKEN_FILE": nil,
		"NATS_TOKEN_FILE":          {"NATS_URL", "nats://127.0.0.1:1"},
		"NATS_PASSWORD_FILE":       {"NATS_URL", "nats://127.0.0.1:1", "NATS_USER", "me"},
		"NATS_CREDS_FILE":          {"NATS_URL", "nats://127.0.0.1:1"},
		"NATS_NKEY_FILE":           {"NATS_URL", "nats://127.0.0.1:1"},
		"NATS_TLS_CA_FILE":         {"NATS_URL", "nats://127.0.0.1:1"},
		"NATS_TLS_CERT_FILE":       {"NATS_URL", "nats://127.0.0.1:1", "NATS_TLS_KEY_FILE", bad},
		"KAFKA_PASSWORD_FILE":      append(kafka, "KAFKA_PASSWORD", ""),
		"KAFKA_TLS_CA_FILE":        kafka,
		"KAFKA_TLS_CERT_FILE":      append(kafka, "KAFKA_TLS_KEY_FILE", bad),
	} {
		for _, path := range []string{bad, filepath.Join(dir, "missing")} {
			_, err := load(with(append(others, setting, path)...))
			if err == nil || !strings.Contains(err.Error(), prefix+setting) || strings.Count(err.Error(), setting) != 1 {
				t.Errorf("%s: %s: %v", setting, path, err)
			}
		}
	}
}

func portOf(t *testing.T, s *server.Server) int {
	t.Helper()
	at, ok := s.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("the broker listens on %v", s.Addr())
	}
	return at.Port
}
