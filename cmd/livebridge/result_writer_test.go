package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
)

// fullWriter has room for so many writes.
type fullWriter struct{ room int }

func (w *fullWriter) Write(text []byte) (int, error) {
	if w.room--; w.room < 0 {
		return 0, syscall.ENOSPC
	}
	return len(text), nil
}

// TestIncompleteOutput: a command whose output could not be written whole fails and says so once.
func TestIncompleteOutput(t *testing.T) {
	t.Setenv(prefix+"DATA_DIR", t.TempDir())
	t.Setenv(prefix+"UNSIGNED", "accept")
	for _, line := range []string{"config", "config --output json", "version", "--version", "--help", "help tail",
		"completion bash"} {
		for _, room := range []int{0, 1} {
			var errOut bytes.Buffer
			full := &fullWriter{room: room}
			code := run(t.Context(), strings.Fields(line), processEnvironment(), full, &errOut)
			if full.room < 0 && (code != exitFailed || strings.Count(errOut.String(), syscall.ENOSPC.Error()) != 1) {
				t.Errorf("%s, %d writes: exit code %d\n%s", line, room, code, errOut.String())
			}
			if room == 0 && full.room == 0 {
				t.Errorf("%s printed nothing", line)
			}
		}
	}
}

// TestResultWriterIsTransparent: what is a terminal is one behind it.
func TestResultWriterIsTransparent(t *testing.T) {
	if terminal(&resultWriter{to: io.Discard}) {
		t.Error("nothing is no terminal")
	}
	tty, err := os.Open("/dev/ptmx")
	if err != nil {
		skipWithout(t, "terminal")
	}
	defer func() { _ = tty.Close() }()
	if !terminal(&resultWriter{to: tty}) {
		t.Error("a terminal is one")
	}
}
