package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"livebridge/bridge/signature"
)

// linesOf returns the lines of a log that has ended, by one of their messages.
func linesOf(t *testing.T, log, message string) (all []map[string]any) {
	t.Helper()
	for text := range strings.Lines(log) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("no line of JSON: %q", text)
		}
		if line["msg"] == message {
			all = append(all, line)
		}
	}
	return all
}

// TestDebugFollowsOneCallback from its decision to the broker, all by one id.
func TestDebugFollowsOneCallback(t *testing.T) {
	t.Parallel()
	service := launch(t, t.TempDir(), prefix+"LOG_LEVEL=debug")
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_134, time.Now(), ""), 200)
	until(t, "it is published", func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
	service.terminate(t)
	ids := make(map[any]bool)
	for _, message := range []string{"callback decided", "event emitted", "event published"} {
		lines := linesOf(t, service.log.String(), message)
		if len(lines) != 1 || lines[0]["lane"] != "stream:push.example.com/live/room1" {
			t.Fatalf("%s: %v", message, lines)
		}
		ids[lines[0]["id"]] = true
		if took, found := lines[0]["took"].(string); message == "event published" &&
			(!found || !strings.HasSuffix(took, "s")) {
			t.Errorf("a duration is %v", lines[0]["took"])
		}
	}
	if len(ids) != 1 {
		t.Errorf("the ids are %v", ids)
	}
}

// TestHangup: SIGHUP does not end the service, which says that it has read the files again.
func TestHangup(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(demoKey), 0o600); err != nil {
		t.Fatal(err)
	}
	service := launch(t, t.TempDir(), prefix+"STREAM_KEY=", prefix+"STREAM_KEY_FILE="+path)
	next := strings.ToUpper(demoKey)
	if err := os.WriteFile(path, []byte(next), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := service.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(t, "the new key is active", func() bool {
		_, found := service.metrics(t)[`livebridge_key_uses_total{key="`+signature.KeyID(next)+`",kind="stream"}`]
		return found
	})
	service.terminate(t)
	const reread = "files of keys, certificates and broker credentials re-read on SIGHUP"
	if n := len(linesOf(t, service.log.String(), reread)); n != 1 {
		t.Errorf("%d lines say so", n)
	}
}

// TestFatalErrorsAreJSON where the log is: one line for each mistake. Other commands print text.
func TestFatalErrorsAreJSON(t *testing.T) {
	t.Setenv(prefix+"LOG_FORMAT", "json")
	t.Setenv(prefix+"TRANSPORT", "rabbit")
	t.Setenv(prefix+"MAX_BODY", "64 kilos")
	for _, args := range [][]string{{}, {"serve"}} {
		_, errOut, code := runCommand(t, args...)
		lines := linesOf(t, errOut, "livebridge cannot run")
		if code != exitUsage || len(lines) != 3 {
			t.Errorf("exit code %d, %s", code, errOut)
		}
		for _, line := range lines {
			if text, _ := line["error"].(string); line["level"] != "error" || !strings.HasPrefix(text, prefix) {
				t.Errorf("%v", line)
			}
		}
	}
	if _, errOut, _ := runCommand(t, "config"); !strings.HasPrefix(errOut, "livebridge: "+prefix) {
		t.Errorf("config prints %s", errOut)
	}
	t.Setenv(prefix+"LOG_FORMAT", "console")
	if _, errOut, _ := runCommand(t, "serve"); !strings.HasPrefix(errOut, "livebridge: "+prefix) {
		t.Errorf("on a console serve prints %s", errOut)
	}
}
