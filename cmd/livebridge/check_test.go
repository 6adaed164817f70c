package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"livebridge/bridge/checker"
)

// TestCheck judges a simulated run from its two logs, then the same run with an event less.
func TestCheck(t *testing.T) {
	service := launch(t, t.TempDir())
	dir := t.TempDir()
	sent, events := filepath.Join(dir, "sent.jsonl"), filepath.Join(dir, "events.jsonl")
	t.Setenv(prefix+"STREAM_KEY", demoKey)
	var said bytes.Buffer
	code := run(t.Context(), []string{"simulate", "--url", "http://" + service.listen, "--count", "300", "--rate", "0",
		"--disorder", "0", "--log", sent}, &said, &said)
	if code != exitDone {
		t.Fatalf("simulate exits with %d\n%s", code, &said)
	}
	out := tailed(t, service, sent)
	for _, c := range []struct {
		name, events string
		code         int
		want         string
	}{
		{"right", strings.Join(out, ""), exitDone, "RIGHT: no promise was seen broken"},
		{"the last event is missing", strings.Join(out[:len(out)-1], ""), exitFailed, "1 BROKEN  lost"},
		{"no event at all", "x\n", exitFailed, "events.jsonl: line 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(events, []byte(c.events), 0o600); err != nil {
				t.Fatal(err)
			}
			var said bytes.Buffer
			code := run(t.Context(), []string{"check", "--sent", sent, "--events", events, "--hold-done", "300ms", "--hold-next", "300ms"}, &said, &said)
			if code != c.code || !strings.Contains(said.String(), c.want) {
				t.Errorf("exit code %d, want %d; %q is expected in\n%s", code, c.code, c.want, &said)
			}
		})
	}
}

// tailed returns what the program has published of a simulation, as lines of tail. Every happening that was answered 200
// is one event: nothing waits for long where there is no disorder.
func tailed(t *testing.T, p *program, sent string) []string {
	t.Helper()
	happenings := make(map[checker.Happening]bool)
	err := read(sent, func(r io.Reader) error {
		all, err := checker.ReadSent(r)
		for _, s := range all {
			if s.Status == http.StatusOK {
				happenings[s.Happening] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines := firstLines{n: len(happenings), enough: cancel}
	if err := tail(ctx, &lines, p.nats, "all"); err != nil {
		t.Fatal(err)
	}
	return lines.lines
}

// firstLines keeps what is written, a line at a time, until there are n.
type firstLines struct {
	lines  []string
	n      int
	enough func()
}

func (f *firstLines) Write(line []byte) (int, error) {
	if f.lines = append(f.lines, string(line)); len(f.lines) == f.n {
		f.enough()
	}
	return len(line), nil
}
