package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"livebridge/bridge/checker"
)

// allKeys are the settings by which every kind of callback is believed, for the service and for the provider.
func allKeys(recordSignType string) []string {
	return []string{prefix + "RECORD_KEY=" + demoKey, prefix + "RTC_KEY=" + demoKey, prefix + "SNAPSHOT_TOKEN=token",
		prefix + "RECORD_SIGN_TYPE=" + recordSignType}
}

// played runs simulate with every kind against a program and returns its log and all that came out of it, as lines of
// tail.
func played(t *testing.T, p *program, keys []string, args ...string) (log string, events []string) {
	t.Helper()
	log = filepath.Join(t.TempDir(), "sent.jsonl")
	args = append([]string{"simulate", "--url", "http://" + p.listen, "--rate", "0", "--log", log}, args...)
	out, errOut, code := commandWith(t, append(slices.Clone(keys), prefix+"STREAM_KEY="+demoKey), args...)
	if code != exitDone {
		t.Fatalf("simulate exits with %d\n%s%s", code, out, errOut)
	}
	return log, p.published(t, readLog(t, log))
}

func readLog(t *testing.T, path string) (all []checker.Sent) {
	t.Helper()
	err := read(path, func(r io.Reader) (err error) { all, err = checker.ReadSent(r); return err })
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestCheck judges a simulated run of every kind from its two logs, then the same run with an occurrence less.
func TestCheck(t *testing.T) {
	t.Parallel()
	keys := allKeys("HMACSHA256")
	service := launch(t, t.TempDir(), keys...)
	sent, out := played(t, service, keys, "--count", "2000", "--repeat", "0.2")
	for _, kind := range []string{"live.stream.publish", "live.record.start", "live.record.file_complete",
		"live.record.failed",
		"live.snapshot.created", "rtc.record.new_file_start", "rtc.record.server_over"} {
		if !strings.Contains(strings.Join(out, ""), `"type":"com.huaweicloud.`+kind+`"`) {
			t.Errorf("no %s came out", kind)
		}
	}
	events := filepath.Join(t.TempDir(), "events.jsonl")
	for _, c := range []struct {
		name, events string
		code         int
		want         string
	}{
		{"right", strings.Join(out, ""), exitDone, "PASS: no broken promise found"},
		{"an occurrence is missing", withoutTheLast(t, out), exitFailed, "1 FAILED  lost"},
		{"no event at all", "x\n", exitFailed, "events.jsonl: line 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(events, []byte(c.events), 0o600); err != nil {
				t.Fatal(err)
			}
			if output, code := checked(t, sent, events); code != c.code || !strings.Contains(output, c.want) {
				t.Errorf("exit code %d, want %d; %q is expected in\n%s", code, c.code, c.want, output)
			}
		})
	}
}

// TestCheckOfNothing: a run in which nothing was accepted proves nothing, and whoever looks at the exit code alone must
// not take it for a good one.
func TestCheckOfNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sent, events := filepath.Join(dir, "sent.jsonl"), filepath.Join(dir, "events.jsonl")
	for _, path := range []string{sent, events} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if output, code := checked(t, sent, events); code != exitFailed || !strings.Contains(output, "NO DATA") {
		t.Errorf("exit code %d\n%s", code, output)
	}
}

// withoutTheLast returns lines of tail without the last occurrence, which may have more than one event: a recording's
// callback that is signed again is another event.
func withoutTheLast(t *testing.T, lines []string) string {
	t.Helper()
	occurrence := func(line string) checker.Occurrence {
		e, err := checker.ParseEvent([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		return e.Occurrence
	}
	last := occurrence(lines[len(lines)-1])
	return strings.Join(slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return occurrence(line) == last }),
		"")
}

func checked(t *testing.T, sent, events string, more ...string) (output string, code int) {
	var b bytes.Buffer
	code = run(t.Context(), append([]string{"check", "--sent", sent, "--events", events, "--hold-done", testHold.String(),
		"--hold-next", testHold.String()}, more...), processEnvironment(), &b, &b)
	return b.String(), code
}

// TestCheckOfAFilteredRun: what PUBLISH_TYPES leaves out is not reported as lost when the check knows the setting.
func TestCheckOfAFilteredRun(t *testing.T) {
	t.Parallel()
	const types = "*.publish_done,*.record.*"
	keys := allKeys("HMACSHA256")
	service := launch(t, t.TempDir(), append(slices.Clone(keys), prefix+"PUBLISH_TYPES="+types)...)
	log := filepath.Join(t.TempDir(), "sent.jsonl")
	out, errOut, code := commandWith(t, append(slices.Clone(keys), prefix+"STREAM_KEY="+demoKey), "simulate", "--url",
		"http://"+service.listen, "--rate", "0", "--log", log, "--count", "500", "--repeat", "0.2")
	if code != exitDone {
		t.Fatalf("simulate exits with %d\n%s%s", code, out, errOut)
	}
	until(t, "all is published", func() bool {
		m := service.metrics(t)
		return m["livebridge_outbox_events"] == 0 && m["livebridge_held_events"] == 0
	})
	lines := tailed(t, service.nats, counting(messages(t, service.nats)))
	events := filepath.Join(t.TempDir(), "events.jsonl")
	if err := os.WriteFile(events, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if output, code := checked(t, log, events, "--publish-types", types); code != exitDone {
		t.Errorf("exit code %d\n%s", code, output)
	}
	if output, code := checked(t, log, events); code != exitFailed || !strings.Contains(output, "lost") {
		t.Errorf("without the setting: exit code %d\n%s", code, output)
	}
	if output, code := checked(t, log, events, "--publish-types", "*.nothing"); code != exitUsage ||
		!strings.Contains(output, "--publish-types") {
		t.Errorf("a glob of nothing: exit code %d\n%s", code, output)
	}
}

// TestRecordSignTypes: recordings signed by each scheme come out, and a scheme that is not configured is rejected.
func TestRecordSignTypes(t *testing.T) {
	t.Parallel()
	for _, signType := range []string{"HMACSHA256", "HMACSHA256-LEGACY", "MD5"} {
		t.Run(signType, func(t *testing.T) {
			keys := allKeys(signType)
			service := launch(t, t.TempDir(), keys...)
			sent, out := played(t, service, keys, "--count", "300", "--kinds", "record")
			events := filepath.Join(t.TempDir(), "events.jsonl")
			if err := os.WriteFile(events, []byte(strings.Join(out, "")), 0o600); err != nil {
				t.Fatal(err)
			}
			if output, code := checked(t, sent, events); code != exitDone {
				t.Error(output)
			}
			other := map[string]string{"MD5": "HMACSHA256"}[signType]
			if other == "" {
				other = "MD5"
			}
			output, errOut, code := commandWith(t, allKeys(other), "simulate", "--url", "http://"+service.listen, "--rate", "0",
				"--count", "20", "--kinds", "record")
			if output += errOut; code != exitFailed || !strings.Contains(output, "401: 20") {
				t.Errorf("signed by %s it exits with %d: %s", other, code, output)
			}
		})
	}
}

// TestKindsOfSimulate: a kind without its key, and one that there is not, are wrong usage and name the way out.
func TestKindsOfSimulate(t *testing.T) {
	for _, c := range []struct{ key, kinds, want string }{
		{demoKey, "stream,record", "LIVEBRIDGE_RECORD_KEY: is empty"},
		{demoKey, "snapshot", "LIVEBRIDGE_SNAPSHOT_TOKEN: is empty"},
		{demoKey, "push", `--kinds "push" is not one of stream, record, snapshot, rtc-record`},
		{"", "stream", "LIVEBRIDGE_STREAM_KEY: is empty"},
		{"", "", "LIVEBRIDGE_STREAM_KEY: is empty, and so are RECORD_KEY, RTC_KEY and SNAPSHOT_TOKEN"},
		{"short", "", "STREAM_KEY"},
	} {
		t.Setenv(prefix+"STREAM_KEY", c.key)
		var output bytes.Buffer
		code := run(t.Context(), []string{"simulate", "--kinds", c.kinds}, processEnvironment(), &output, &output)
		if code != exitUsage || !strings.Contains(output.String(), c.want) {
			t.Errorf("key %q, kinds %q: exit code %d, %s", c.key, c.kinds, code, &output)
		}
	}
}
