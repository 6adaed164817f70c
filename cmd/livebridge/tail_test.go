package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestTail: a table of 120 columns, a number of events, one lane in both spellings, and an end when nothing comes.
func TestTail(t *testing.T) {
	t.Parallel()
	service := launch(t, t.TempDir(), prefix+"RECORD_KEY="+demoKey)
	for i := range 3 {
		service.send(t, "/live/stream", streamCallback("PUBLISH", fmt.Sprint("room", i), 1_587_954_134, time.Now(), ""), 200)
	}
	long := strings.Repeat("long", 40)
	service.send(t, "/live/stream", streamCallback("PUBLISH", long, 1_587_954_134, time.Now(), ""), 200)
	until(t, "all are published", func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
	flags := func(more ...string) []string {
		return append([]string{"tail", "--url", service.nats, "--from", "all"}, more...)
	}
	out, errOut, code := runCommand(t, flags("-o", "table", "--count", "4")...)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[0], "RECORDED") {
		t.Fatalf("it prints %s", out)
	}
	for _, line := range lines {
		if len(line) > tableWidth {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	// Lanes are published side by side: which of them is first is not promised.
	row := slices.IndexFunc(lines, func(line string) bool {
		return strings.Contains(line, " stream:push.example.com/live/room0 ")
	})
	if row < 0 || !strings.Contains(lines[row], " publish ") || !strings.HasSuffix(lines[row], " 1587954134000") {
		t.Errorf("room0 is not in a row with its event and its session: %s", out)
	}
	for _, lane := range []string{"push.example.com/live/room1", "stream:push.example.com/live/room1"} {
		out, errOut, code := runCommand(t, flags("--lane", lane, "--count", "1")...)
		if code != exitDone || !strings.Contains(out, `"subject":"push.example.com/live/room1"`) ||
			strings.Count(out, "\n") != 1 {
			t.Errorf("%s: %d, %s %s", lane, code, out, errOut)
		}
	}
	if out, _, code := runCommand(t, flags("--lane", "record:push.example.com/live/room1", "--idle",
		"300ms")...); code != exitDone || out != "" {
		t.Errorf("of another kind: %d, %s", code, out)
	}
	until(t, "all come before nothing comes for a moment", func() bool { // which is at once unless the machine is slow
		out, _, code := runCommand(t, flags("--idle", "300ms")...)
		if code != exitDone {
			t.Fatalf("until nothing comes: %d, %s", code, out)
		}
		return strings.Count(out, "\n") == 4
	})
}

// TestUntilIdle: what counts is the time since the last event, and without --idle there is no end.
func TestUntilIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited, seen, stop := untilIdle(t.Context(), time.Minute)
		defer stop()
		endless, _, stopEndless := untilIdle(t.Context(), 0)
		defer stopEndless()
		for range 3 {
			time.Sleep(time.Minute - 1)
			seen()
		}
		time.Sleep(time.Minute - 1)
		if limited.Err() != nil {
			t.Error("it ended while events came")
		}
		time.Sleep(2 * time.Nanosecond)
		synctest.Wait()
		if limited.Err() == nil || endless.Err() != nil {
			t.Errorf("after a minute without an event: %v, and without a limit: %v", limited.Err(), endless.Err())
		}
	})
}

// TestTailOfNothing: an unreachable broker is an error at once, and flags that make no sense are named.
func TestTailOfNothing(t *testing.T) {
	for _, transport := range []string{"nats", "kafka"} {
		t.Setenv(prefix+"TRANSPORT", transport)
		_, errOut, code := runCommand(t, "tail", "--url", "127.0.0.1:1")
		if code != exitFailed || !strings.Contains(errOut, "127.0.0.1:1") || !strings.Contains(errOut, "connection refused") {
			t.Errorf("%s: exit code %d, %s", transport, code, errOut)
		}
	}
	t.Setenv(prefix+"TRANSPORT", "nats")
	if _, errOut, _ := runCommand(t, "tail", "--url", "nats://secret@127.0.0.1:1"); strings.Contains(errOut, "secret") {
		t.Errorf("the token is shown: %s", errOut)
	}
	for _, flags := range [][]string{{"--lane", "push:a/b/c"}, {"--lane", "room1"}, {"--count", "-1"}, {"-o", "xml"}} {
		if _, errOut, code := runCommand(t, append([]string{"tail"}, flags...)...); code != exitUsage ||
			!strings.Contains(errOut, flags[0]) &&
				!strings.Contains(errOut, "--output") {
			t.Errorf("%q: exit code %d, %s", flags, code, errOut)
		}
	}
}

// TestRowsFit: long marks take their room from the lane.
func TestRowsFit(t *testing.T) {
	lane := "record:" + strings.Repeat("a", 60) + "/live/room1"
	for _, marks := range []string{"", "late", "end_unseen,forced,late,replayed"} {
		row := eventRow("01-02 15:04:05.000", "946684800000001", lane, "publish_done", "1587954134000", marks)
		if len(row) > tableWidth || !strings.HasSuffix(row, marks) || !strings.Contains(row, "room1") {
			t.Errorf("%d columns: %q", len(row), row)
		}
	}
}
