package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caarlos0/env/v11"

	"livebridge/bridge"
	"livebridge/bridge/checker"
	"livebridge/bridge/signature"
	"livebridge/transports/nats"
)

// command runs a command line on a data directory, and returns what it printed and its exit code.
func command(t *testing.T, dir string, args ...string) (out, errOut string, code int) {
	t.Helper()
	return commandWith(t, []string{prefix + "DATA_DIR=" + dir}, args...)
}

// commandWith runs a command line with settings, which are its own: tests may be parallel.
func commandWith(t *testing.T, settings []string, args ...string) (out, errOut string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	vars, log := env.ToMap(slices.Concat(os.Environ(), settings)), newLogWriter(&e)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	code = run(ctx, args, &environment{vars: vars}, &o, log)
	log.close()
	return o.String(), e.String(), code
}

// entriesOf lists a review queue.
func entriesOf(t *testing.T, dir, queue string, flags ...string) []bridge.Entry {
	t.Helper()
	out, errOut, code := command(t, dir, append([]string{queue, "list"}, flags...)...)
	if code != exitDone {
		t.Fatalf("%s list: %d %s", queue, code, errOut)
	}
	var entries []bridge.Entry
	for line := range strings.Lines(out) {
		var e bridge.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		entries = append(entries, e)
	}
	return entries
}

// streamCallback is a callback of stream status, signed to expire at the instant.
func streamCallback(event, stream string, session int64, expires time.Time, more string) []byte {
	stamp := fmt.Sprint(expires.Unix())
	sign := signature.Sign(bridge.SchemeHMAC, demoKey, signature.Claim{Kind: bridge.KindStream, Event: event,
		Domain: "push.example.com", App: "live", Stream: stream, Timestamp: stamp})
	return fmt.Appendf(nil, `{"domain":"push.example.com","app":"live","stream":%q,"event":%q,"publish_timestamp":%d,`+
		`"auth_timestamp":%s,"auth_sign":%q%s}`, stream, event, session, stamp, sign, more)
}

// send posts a callback that must be answered with the status.
func (p *program) send(t *testing.T, path string, body []byte, status int) {
	t.Helper()
	if got, err := post(t.Context(), "http://"+p.listen+path, body); err != nil || got != status {
		t.Fatalf("answered %d, %v, want %d", got, err, status)
	}
}

// terminate ends the program by SIGTERM.
func (p *program) terminate(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.end(t); code != exitDone {
		t.Fatalf("it ended with %d\n%s", code, p.log)
	}
}

// ordinal returns a sequence without the floor of the journal, which is a multiple of 1000: 1 for the first event of a
// lane.
func ordinal(sequence uint64) uint64 { return sequence % 1000 }

// await consumes the topic until want returns true for an event.
func await(t *testing.T, url string, want func(checker.Event) bool) {
	t.Helper()
	o := nats.DefaultOptions()
	o.URL = url
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var seen []string
	err := nats.Consume(ctx, o, nats.StartAll, func(r nats.Record) error {
		e, err := checker.ParseEvent(r.Payload)
		seen = append(seen, fmt.Sprint(e.Occurrence, " ", ordinal(e.Sequence), " ", e.Marks))
		if err == nil && want(e) {
			err = errAllThere
		}
		return err
	})
	if !errors.Is(err, errAllThere) {
		t.Fatalf("%v; seen are %q", err, seen)
	}
}

// TestQuarantineWithoutAJournal names the setting.
func TestQuarantineWithoutAJournal(t *testing.T) {
	t.Parallel()
	if _, errOut, code := command(t, t.TempDir(), "quarantine", "list"); code != exitUsage ||
		!strings.Contains(errOut, "LIVEBRIDGE_DATA_DIR") {
		t.Fatalf("%d %s", code, errOut)
	}
}

// TestQuarantineCommands uses every command on the quarantine, first through the running service, then without it.
func TestQuarantineCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	service := launch(t, dir)
	old, now := time.Unix(1_600_000_000, 0), time.Now()
	for i := range 3 {
		service.send(t, "/live/stream", streamCallback("PUBLISH", fmt.Sprint("room", i), 1_587_954_134, old,
			`,"user_args":"auth_info=secret"`), 401)
	}
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room0", 1_587_954_134, now, ""), 200)
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room0", 1_587_954_135, now, ""), 200) // the same signature
	all := entriesOf(t, dir, "quarantine")
	if len(all) != 4 || all[3].Reason != "tampered" || strings.Contains(string(all[0].Data), "secret") {
		t.Fatalf("%+v", all)
	}
	if some := entriesOf(t, dir, "quarantine", "--reason", "expired", "--lane",
		"push.example.com/live/room1"); len(some) != 1 {
		t.Errorf("%+v", some)
	}
	out, errOut, code := command(t, dir, "quarantine", "list", "--limit", "2")
	if code != exitDone || strings.Count(out, "\n") != 2 ||
		!strings.Contains(errOut, fmt.Sprintf("--after %d", all[1].Number)) {
		t.Errorf("a page: %d %q %s", code, out, errOut)
	}
	shown, _, code := command(t, dir, "quarantine", "show", fmt.Sprint(all[0].Number))
	var e bridge.Entry
	if err := json.Unmarshal([]byte(shown), &e); err != nil || code != exitDone ||
		!strings.Contains(string(e.Raw), "auth_info=secret") {
		t.Errorf("show: %d %s %v", code, shown, err)
	}
	out, errOut, code = command(t, dir, "quarantine", "release", fmt.Sprint(all[1].Number), "99")
	if code != exitFailed || !strings.Contains(errOut, "1 of 2 done: 1 published\n") ||
		!strings.Contains(errOut, "quarantine 99") {
		t.Errorf("release: %d %s %s", code, out, errOut)
	}
	await(t, service.nats, func(e checker.Event) bool {
		return e.Occurrence.Subject == "push.example.com/live/room1" && e.Marks == bridge.MarkReplayed &&
			ordinal(e.Sequence) == 1
	})
	out, errOut, code = command(t, dir, "quarantine", "purge", "--all", "--yes", "--reason", "tampered")
	if code != exitDone || !strings.Contains(errOut, "1 of 1 done\n") {
		t.Errorf("purge: %d %s", code, out)
	}
	service.terminate(t)
	if left := entriesOf(t, dir, "quarantine"); len(left) != 2 || left[0].Number != all[0].Number {
		t.Errorf("left are %+v", left)
	}
	if out, errOut, code = command(t, dir, "quarantine", "release", "--all"); code != exitDone ||
		!strings.Contains(errOut, "2 of 2 done: 2 waiting for the next start") {
		t.Errorf("release: %d %s %s", code, out, errOut)
	}
	service = launch(t, dir)
	await(t, service.nats, func(e checker.Event) bool {
		return e.Occurrence.Subject == "push.example.com/live/room0" && e.Marks == bridge.MarkReplayed &&
			ordinal(e.Sequence) == 2
	})
	if left := entriesOf(t, dir, "quarantine"); len(left) != 0 {
		t.Errorf("left are %+v", left)
	}
}

// TestDeadLetterCommands: what the broker rejected is listed with the reason, and is published once the broker is
// fixed.
func TestDeadLetterCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	service := launch(t, dir, prefix+"MAX_BODY=2MiB")
	large := streamCallback("PUBLISH", "room1", 1_587_954_134, time.Now(), `,"more":"`+strings.Repeat("x", 9<<20/8)+`"`)
	service.send(t, "/live/stream", large, 200)
	service.send(t, "/live/stream", streamCallback("PUBLISH_DONE", "room1", 1_587_954_134, time.Now(), ""), 200)
	await(t, service.nats, func(e checker.Event) bool { return ordinal(e.Sequence) == 2 })
	all := entriesOf(t, dir, "deadletters")
	if len(all) != 1 || ordinal(all[0].Sequence) != 1 || all[0].Reason != string(bridge.RejectionTooLarge) ||
		all[0].Detail == "" {
		t.Fatalf("%+v", all)
	}
	out, errOut, code := command(t, dir, "deadletters", "retry", fmt.Sprint(all[0].Number))
	var retried result
	if err := json.Unmarshal([]byte(out), &retried); err != nil || code != exitFailed ||
		retried.State != bridge.DeliveryDeadLetter || retried.Reason != string(bridge.RejectionTooLarge) ||
		retried.Detail == "" {
		t.Errorf("retry: %d %s %v", code, out, err)
	}
	if !strings.Contains(errOut, "1 dead letters again") || !strings.Contains(errOut, "dead letter again, number") {
		t.Errorf("retry: %s", errOut)
	}
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_135, time.Now().Add(time.Minute), ""),
		200)
	await(t, service.nats, func(e checker.Event) bool { return ordinal(e.Sequence) == 4 }) // 3 was refused again
	again := entriesOf(t, dir, "deadletters")
	if len(again) != 1 || ordinal(again[0].Sequence) != 3 || again[0].Number == all[0].Number ||
		again[0].Number != retried.DeadLetter {
		t.Fatalf("%+v", again)
	}
	if out, _, code := command(t, dir, "deadletters", "purge", "--all", "--yes"); code != exitDone {
		t.Errorf("purge: %d %s", code, out)
	}
	if left := entriesOf(t, dir, "deadletters"); len(left) != 0 {
		t.Errorf("left are %+v", left)
	}
	service.terminate(t)
}

func TestJournalCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	service := launch(t, dir, prefix+"NATS_URL=nats://127.0.0.1:1", prefix+"SHUTDOWN_GRACE=100ms")
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_134, time.Now(), ""), 200)
	inspect := func() (i bridge.JournalStats) {
		t.Helper()
		out, errOut, code := command(t, dir, "journal", "inspect")
		if err := json.Unmarshal([]byte(out), &i); err != nil || code != exitDone {
			t.Fatalf("inspect: %d %s %s %v", code, out, errOut, err)
		}
		return i
	}
	if i := inspect(); i.Outbox.Entries != 1 || i.Lanes != 1 || i.MaxBytes != 8<<30 {
		t.Errorf("%+v", i)
	}
	if out, errOut, code := command(t, dir, "journal", "replay", "--wait", "0", "--lane",
		"stream:push.example.com/live/room1"); code != exitDone ||
		!strings.Contains(errOut, "1 events: 1 still waiting") {
		t.Errorf("replay: %d %s %s", code, out, errOut)
	}
	service.terminate(t)
	if out, errOut, code := command(t, dir, "journal", "replay", "--all"); code != exitDone ||
		!strings.Contains(errOut, "1 events: 1 waiting for the next start") {
		t.Errorf("replay without the service: %d %s %s", code, out, errOut)
	}
	if i := inspect(); i.Outbox.Entries != 3 {
		t.Errorf("%+v", i)
	}
}

func TestReviewUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, args := range []string{
		"quarantine show", "quarantine show x", "quarantine show 0", "quarantine release", "quarantine release --all 1",
		"quarantine purge --reason expired 1", "quarantine list 1", "quarantine list --limit -1", "deadletters release 1x",
		"journal replay", "journal", "quarantine",
		"journal replay --all --lane stream:a/b/c", "journal replay --lane room1",
	} {
		if _, errOut, code := command(t, dir, strings.Fields(args)...); code != exitUsage || errOut == "" {
			t.Errorf("%s: %d %s", args, code, errOut)
		}
	}
}

func TestPrintable(t *testing.T) {
	if got := printable("a\"b\x1b[31m\u202e\xffé"); got != `a"b\x1b[31m\u202e\xffé` {
		t.Error(got)
	}
}

// TestQuarantineIsPublishedUnlessUnnamed: an empty QUARANTINE_TOPIC keeps notices in, the entries stay.
func TestQuarantineIsPublishedUnlessUnnamed(t *testing.T) {
	t.Parallel()
	for _, topic := range []string{"live.quarantine", ""} {
		dir := t.TempDir()
		service := launch(t, dir, prefix+"QUARANTINE_TOPIC="+topic)
		service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_134, time.Unix(1_600_000_000, 0), ""),
			http.StatusUnauthorized)
		out, _, code := command(t, dir, "journal", "inspect")
		var i bridge.JournalStats
		if err := json.Unmarshal([]byte(out), &i); err != nil || code != exitDone || i.Quarantine.Entries != 1 ||
			(i.Lanes == 1) != (topic != "") {
			t.Errorf("%q: %s %v", topic, out, err)
		}
		service.terminate(t)
	}
}
