package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/transports/nats"
)

// keeping are the settings of a service with a history, on which nothing that is held is let go.
func keeping() []string {
	return []string{prefix + "JOURNAL_KEEP=1h", prefix + "HOLD_DONE=1h"}
}

// fatesIn runs a command that prints events as JSON lines.
func fatesIn(t *testing.T, dir string, args ...string) (all []bridge.Fate) {
	t.Helper()
	out, _ := succeed(t, dir, args...)
	for line := range strings.Lines(out) {
		var f bridge.Fate
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, f)
	}
	return all
}

// awaitKept waits until the history has so many events.
func awaitKept(t *testing.T, dir string, n int) []bridge.Fate {
	t.Helper()
	for end := time.Now().Add(patience); ; <-time.After(50 * time.Millisecond) {
		var kept []bridge.Fate
		for _, f := range fatesIn(t, dir, "journal", "list", "--limit", "0") {
			if f.Published != "" {
				kept = append(kept, f)
			}
		}
		if len(kept) == n {
			return kept
		}
		if time.Now().After(end) {
			t.Fatalf("the history has %d events, not %d: %+v", len(kept), n, kept)
		}
	}
}

// sendHistory sends callbacks that meet every fate but a dead letter, and waits until two of them are published.
func sendHistory(t *testing.T, service *program, dir string) []bridge.Fate {
	t.Helper()
	now := time.Now()
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_134, now, ""), 200)
	service.send(t, "/live/stream", streamCallback("PUBLISH_DONE", "room1", 1_587_954_134, now, ""), 200)
	service.send(t, "/live/stream", streamCallback("PUBLISH_DONE", "room2", 1_587_954_134, now, ""), 200)
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room3", 1_587_954_134, now.Add(-time.Hour), ""), 401)
	return slices.DeleteFunc(awaitKept(t, dir, 3), func(f bridge.Fate) bool { return f.Reason != "" }) // of the notice
}

// TestHistoryCommands: what has become of callbacks is listed, shown, exported and replayed, while the service runs and
// after it, and nothing of it once it is turned off.
func TestHistoryCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	service := launch(t, dir, keeping()...)
	kept := sendHistory(t, service, dir)
	if len(kept) != 2 || kept[0].Sequence != kept[1].Sequence+1 || kept[0].Session != 1_587_954_134_000 {
		t.Fatalf("%+v", kept)
	}
	for _, f := range kept {
		p := f.Position
		if p == nil || p.Topic != "LIVE_EVENTS" || !strings.HasSuffix(p.Subject, ".room1.stream") || p.Offset < 1 {
			t.Errorf("%+v is at %+v", f, p)
		}
	}
	checkFates(t, dir, kept)
	checkExport(t, dir, topicOfService(t, service.nats, 2))
	lane := []string{"--lane", "stream:push.example.com/live/room1"}
	out, text := succeed(t, dir, append([]string{"journal", "replay", "--history", "--dry-run"}, lane...)...)
	if strings.Count(out, "\n") != 2 || !strings.Contains(text, "2 events would be published again") {
		t.Errorf("dry run: %s %s", out, text)
	}
	if again := awaitKept(t, dir, 3); len(again) != 3 {
		t.Errorf("a dry run has published: %+v", again)
	}
	out, text = succeed(t, dir, append([]string{"journal", "replay", "--since", "1h"}, lane...)...)
	if strings.Count(out, `"state":"published"`) != 2 || !strings.Contains(text, "journal replay: 2 events: 2 published") {
		t.Errorf("replay: %s %s", out, text)
	}
	_, text = succeed(t, dir, "journal", "replay", "--session", "5")
	if !strings.Contains(text, "0 events: none of those selected was published and is kept (JOURNAL_KEEP)") {
		t.Errorf("replay of nothing: %s", text)
	}
	again := awaitKept(t, dir, 5)
	if last := again[0]; last.ID != kept[0].ID || last.Sequence != kept[0].Sequence+2 ||
		!slices.Equal(last.Marks, []string{"replayed"}) {
		t.Errorf("replayed is %+v", last)
	}
	service.terminate(t)
	awaitKept(t, dir, 5)
	checkFates(t, dir, again[1:2])
	checkTurnedOff(t, dir)
}

// checkFates: each event is shown in words and as JSON, and so is what is held and quarantined.
func checkFates(t *testing.T, dir string, published []bridge.Fate) {
	t.Helper()
	for _, f := range published {
		all := fatesIn(t, dir, "journal", "show", f.ID)
		if !slices.ContainsFunc(all, func(g bridge.Fate) bool {
			return g.Sequence == f.Sequence && g.Published == f.Published && strings.Contains(string(g.Event), `"id":"`+f.ID)
		}) {
			t.Errorf("show %s: %+v", f.ID, all)
		}
		text, _ := succeed(t, dir, "journal", "show", f.ID, "-o", "text")
		want := fmt.Sprintf("now        published at %s to LIVE_EVENTS %s sequence %d\n", f.Published, f.Position.Subject,
			f.Position.Offset)
		if !strings.Contains(text, want) || !strings.Contains(text, fmt.Sprintf("emitted with sequence %d", f.Sequence)) {
			t.Errorf("show %s: %s, want %s", f.ID, text, want)
		}
	}
	held := fatesIn(t, dir, "journal", "list", "--lane", "push.example.com/live/room2")
	if len(held) != 1 || held[0].State != bridge.StateHeld || held[0].Sequence != 0 {
		t.Fatalf("held: %+v", held)
	}
	quarantined := entriesOf(t, dir, "quarantine")[0]
	for id, want := range map[string]string{held[0].ID: "waits for the event before it in its lane",
		quarantined.ID: "not trusted: expired"} {
		if text, _ := succeed(t, dir, "journal", "show", id, "-o", "text"); !strings.Contains(text, want) {
			t.Errorf("show %s: %s", id, text)
		}
	}
	if _, text, code := command(t, dir, "journal", "show", strings.Repeat("0", 32)); code != exitFailed ||
		!strings.Contains(text, "nothing is known of 0000") || !strings.Contains(text, "was published since 20") {
		t.Errorf("show of nothing: %d %s", code, text)
	}
}

// topicOfService returns the payloads of the stream of events, which must be so many.
func topicOfService(t *testing.T, url string, n int) (payloads []string) {
	t.Helper()
	o := nats.DefaultOptions()
	o.URL = url
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	done := errors.New("that was the last")
	err := nats.Consume(ctx, o, nats.StartAll, func(r nats.Record) error {
		if payloads = append(payloads, string(r.Payload)); len(payloads) == n {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Fatal(err)
	}
	return payloads
}

// checkExport: what is exported has the bytes that consumers get.
func checkExport(t *testing.T, dir string, want []string) {
	t.Helper()
	out, text := succeed(t, dir, "journal", "export", "--lane", "stream:push.example.com/live/room1")
	if out != strings.Join(want, "\n")+"\n" || !strings.Contains(text, "journal export: 2 events") {
		t.Errorf("exported is %s %s, want %s", out, text, want)
	}
	if out, _ := succeed(t, dir, "journal", "export", "--until", "30m"); out != "" {
		t.Errorf("exported of half an hour ago is %s", out)
	}
}

// checkTurnedOff: without JOURNAL_KEEP what was kept is dropped, and no command says that nothing waits while an event
// of another lane does.
func checkTurnedOff(t *testing.T, dir string) {
	t.Helper()
	launch(t, dir, prefix+"HOLD_DONE=1h")
	awaitKept(t, dir, 0)
	out, _ := succeed(t, dir, "journal", "inspect", "-o", "text")
	if !strings.Contains(out, "history        off (JOURNAL_KEEP)\n") {
		t.Errorf("inspect: %s", out)
	}
	for command, want := range map[string]string{
		"list":   "no events: none of those selected waits, and published events are not kept; set JOURNAL_KEEP",
		"export": "journal export: 0 events: published events are not kept; set JOURNAL_KEEP",
	} {
		_, text := succeed(t, dir, "journal", command, "--lane", "push.example.com/live/room1")
		if !strings.Contains(text, want) {
			t.Errorf("%s: %s", command, text)
		}
	}
}

// TestReplayEnds: a replay of the history has no more than what was published when it began.
func TestReplayEnds(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for _, c := range []struct {
		until string
		want  bridge.Millis
	}{{"", 1_700_000_000_001}, {"1h", 1_699_996_400_000}} {
		r := replayCommand{history: true, filter: eventFilter{until: c.until, lane: "a/b/c"}}
		queries, err := r.queries(now)
		if err != nil || len(queries) != len(bridge.EventKinds()) {
			t.Fatal(len(queries), err)
		}
		for _, q := range r.replayQueries(queries) {
			if q.History.Until != c.want || q.History.Lane != "a/b/c" || q.History.Kind == "" {
				t.Errorf("--until %q: %+v", c.until, q.History)
			}
		}
	}
}

// TestHistoryUsage: what is wrong on the command line is said before anything is done.
func TestHistoryUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"list", "--session", "x"}, "publish_timestamp in Unix milliseconds"},
		{[]string{"list", "--since", "yesterday"}, "--since \"yesterday\": use a time such as"},
		{[]string{"list", "--since", "1h", "--until", "2h"}, "--until 2h is not after --since 1h"},
		{[]string{"list", "--limit", "-1"}, "--limit -1 is negative"},
		{[]string{"list", "--lane", "room1"}, "use kind:domain/app/stream"},
		{[]string{"export", "--id", "12"}, "ids have 32 hex digits"},
		{[]string{"show"}, "needs a ID"},
		{[]string{"show", "room1"}, "ids have 32 hex digits"},
		{[]string{"replay", "--since", "1h"}, "replay needs either --all or --lane"},
		{[]string{"replay", "--all", "--lane", "stream:a/b/c"}, "replay needs either --all or --lane"},
	} {
		_, text, code := command(t, t.TempDir(), append([]string{"journal"}, c.args...)...)
		if code != exitUsage || !strings.Contains(text, c.want) {
			t.Errorf("%q: %d %s", c.args, code, text)
		}
	}
}
