package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// expired sends a callback of a stream whose signature has expired, which goes to the quarantine.
func (p *program) expired(t *testing.T, stream string) {
	t.Helper()
	p.send(t, "/live/stream", streamCallback("PUBLISH", stream, 1_587_954_134, time.Unix(1_600_000_000, 0), ""),
		http.StatusUnauthorized)
}

// TestReviewMistakesAreNamed: reasons, lanes, arguments and commands that do not exist.
func TestReviewMistakesAreNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for line, want := range map[string]string{
		"quarantine list --reason forged":           "is not one of expired, malformed, tampered, unknown_event",
		"quarantine purge --all --reason forged":    "is not one of expired",
		"quarantine list --lane push:a/b/c":         "is not one of stream, record",
		"quarantine show":                           "needs a NUMBER",
		"quarantine show 1 2":                       "accepts one NUMBER and got 2",
		"quarantine lst":                            "did you mean list?",
		"deadletters retri 1":                       "did you mean retry?",
		"journal inspct":                            "did you mean inspect?",
		"quarentine list":                           "did you mean quarantine?",
		"journal replay --lane stream:room1":        "kind:domain/app/stream",
		"quarantine list --output yaml":             "table, json",
		"deadletters list --lane nonsense:a/b/room": "is not one of stream, record",
	} {
		if _, errOut, code := command(t, dir, strings.Fields(line)...); code != exitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%s: exit code %d, %s", line, code, errOut)
		}
	}
}

// TestPurgeAll asks, or needs --yes where nobody can answer, and shows with --dry-run what it would do.
func TestPurgeAll(t *testing.T) {
	dir := t.TempDir()
	service := launch(t, dir)
	service.expired(t, "room1")
	service.expired(t, "room2")
	count := func() int { t.Helper(); return len(entriesOf(t, dir, "quarantine")) }
	if out, errOut, code := command(t, dir, "quarantine", "purge", "--all", "--dry-run"); code != exitDone ||
		strings.Count(out, "\n") != 2 || !strings.Contains(errOut, "2 entries would be") || count() != 2 {
		t.Errorf("--dry-run: %d %s%s, %d are left", code, out, errOut, count())
	}
	t.Setenv(prefix+"DATA_DIR", dir)
	for _, answer := range []string{"", "n\n", "y\n"} {
		left := 2
		if answer == "y\n" {
			left = 1
		}
		root := newRoot(processEnvironment())
		var out, errOut bytes.Buffer
		root.SetArgs([]string{"quarantine", "purge", "--all", "--lane", "stream:push.example.com/live/room1"})
		root.SetOut(&out)
		root.SetErr(&errOut)
		root.SetIn(strings.NewReader(answer))
		err := root.ExecuteContext(t.Context())
		if (err == nil) != (left == 1) || count() != left ||
			!strings.Contains(errOut.String(), "purge 1 entries of quarantine permanently?") {
			t.Errorf("answer %q: %v, %d are left: %s", answer, err, count(), &errOut)
		}
	}
}

// TestPurgeAllWithoutTerminal: the input of a script is no answer.
func TestPurgeAllWithoutTerminal(t *testing.T) {
	c := &cobra.Command{}
	c.SetErr(&bytes.Buffer{})
	if err := confirm(c, "purge 2 entries?"); err == nil || !strings.Contains(err.Error(), "--yes") {
		t.Errorf("%v", err)
	}
}

// TestLaneSpellings: the table shows the lane that every command accepts, with and without its kind.
func TestLaneSpellings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	service := launch(t, dir)
	service.expired(t, "room1")
	out, _, _ := command(t, dir, "quarantine", "list", "--output", "table")
	if !strings.Contains(out, " stream:push.example.com/live/room1 ") {
		t.Errorf("it prints %s", out)
	}
	for lane, want := range map[string]int{
		"push.example.com/live/room1": 1, "stream:push.example.com/live/room1": 1, "record:push.example.com/live/room1": 0,
	} {
		if n := len(entriesOf(t, dir, "quarantine", "--lane", lane)); n != want {
			t.Errorf("%s: %d entries", lane, n)
		}
		_, errOut, code := command(t, dir, "journal", "replay", "--lane", lane)
		if code != exitDone || !strings.Contains(errOut, "0 events: there is none of these") {
			t.Errorf("replay of %s: %d %s", lane, code, errOut)
		}
	}
}
