package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
)

// operated is a service without a broker: a journal with its control socket, and a test that decides what becomes of
// events.
func operated(t *testing.T) (dir string, j *journal.Journal) {
	t.Helper()
	dir = t.TempDir()
	j, err := journal.Open(journal.DefaultOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	c, err := admin.NewControl(dir, j, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.Serve() }()
	t.Cleanup(func() { _ = c.Shutdown(context.Background()); _ = j.Close() })
	for i := range 3 {
		e := bridge.Event{ID: bridge.ID{byte(i)}, Type: "com.huaweicloud.live.record.over", Data: []byte("{}"),
			Lane: bridge.Lane{Kind: bridge.KindRecord, Domain: "push.example.com", App: "live", Stream: "room1"}}
		if err := j.Append(t.Context(), &bridge.Arrival{Event: e}); err != nil {
			t.Fatal(err)
		}
	}
	return dir, j
}

// answerWith settles n events, as how says of each.
func answerWith(t *testing.T, j *journal.Journal, n int, how func(i int) bridge.Settlement) (settled chan struct{}) {
	settled = make(chan struct{})
	go func() {
		defer close(settled)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		for i := 0; i < n; {
			events, err := j.Outbox().Next(ctx)
			if err != nil {
				return
			}
			for _, e := range events {
				j.Outbox().Settle(e, how(i))
				i++
			}
		}
	}()
	return settled
}

func results(t *testing.T, out string) (all []result) {
	t.Helper()
	for line := range strings.Lines(out) {
		var r result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, r)
	}
	return all
}

// TestRetryReportsOutcome: of three dead letters that are tried again one is published, one rejected, and one waits.
func TestRetryReportsOutcome(t *testing.T) {
	t.Parallel()
	dir, j := operated(t)
	<-answerWith(t, j, 3, func(int) bridge.Settlement { return bridge.Settlement{DeadLetter: "too large"} })
	var all []bridge.Entry
	until(t, "three dead letters are on disk", func() bool {
		all = entriesOf(t, dir, "deadletters")
		return len(all) == 3
	})
	settled := answerWith(t, j, 2, func(i int) bridge.Settlement {
		return []bridge.Settlement{{}, {DeadLetter: bridge.RejectionTooLarge, Detail: "still too large"}}[i]
	})
	out, errOut, code := command(t, dir, "deadletters", "retry", "--all", "--wait", "2s")
	<-settled
	got := results(t, out)
	if code != exitFailed || len(got) != 3 {
		t.Fatalf("%d %q %q", code, out, errOut)
	}
	left := entriesOf(t, dir, "deadletters")
	for i, want := range []bridge.DeliveryState{bridge.DeliveryPublished, bridge.DeliveryDeadLetter,
		bridge.DeliveryWaiting} {
		if r := got[i]; r.State != want || r.Number != all[i].Number || r.Lane != "push.example.com/live/room1" ||
			ordinal(r.Sequence) != uint64(4+i) {
			t.Errorf("entry %d: %+v %+v", i, r, r.Delivery)
		}
	}
	if len(left) != 1 || got[1].DeadLetter != left[0].Number || got[1].Reason != "too_large" ||
		got[1].Detail != "still too large" {
		t.Errorf("%+v, and left are %+v", got[1].Delivery, left)
	}
	for _, want := range []string{
		"3 of 3 done: 1 published, 1 dead letters again, 1 still waiting",
		fmt.Sprintf("dead letter again, number %d: still too large", left[0].Number),
	} {
		if !strings.Contains(errOut, want) {
			t.Errorf("%q does not say %q", errOut, want)
		}
	}
}

// TestReplayReportsOutcome: what is replayed and rejected is reported, and fails the command; what waits does not.
func TestReplayReportsOutcome(t *testing.T) {
	dir, j := operated(t)
	out, errOut, code := command(t, dir, "journal", "replay", "--all", "--wait", "0")
	if got := results(t, out); code != exitDone || len(got) != 3 || got[2].State != bridge.DeliveryWaiting ||
		!strings.Contains(errOut, "journal replay: 3 events: 3 still waiting in the outbox") {
		t.Fatalf("%d %q %q", code, out, errOut)
	}
	<-answerWith(t, j, 5, func(int) bridge.Settlement {
		return bridge.Settlement{}
	}) // one replay is left in the outbox, and is none to replay
	if err := j.Append(t.Context(), &bridge.Arrival{Event: bridge.Event{ID: bridge.ID{9},
		Type: "com.huaweicloud.live.record.over", Data: []byte("{}"),
		Lane: bridge.Lane{Kind: bridge.KindRecord, Domain: "push.example.com", App: "live", Stream: "room2"}}}); err != nil {
		t.Fatal(err)
	}
	if err := j.Outbox().Trim(t.Context(), func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
	settled := answerWith(t, j, 3, func(i int) bridge.Settlement {
		return bridge.Settlement{DeadLetter: bridge.RejectionRefused, Detail: "not wanted"}
	})
	out, errOut, code = command(t, dir, "journal", "replay", "--lane", "record:push.example.com/live/room2")
	<-settled
	if got := results(t, out); code != exitFailed || len(got) != 1 || got[0].State != bridge.DeliveryDeadLetter ||
		got[0].Detail != "not wanted" ||
		!strings.Contains(errOut, "record:push.example.com/live/room2, sequence") {
		t.Fatalf("%d %q %q", code, out, errOut)
	}
}

// TestOutcomeWithoutTheService: what waits for the next start is said to.
func TestOutcomeWithoutTheService(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	service := launch(t, dir, prefix+"NATS_URL=nats://127.0.0.1:1", prefix+"SHUTDOWN_GRACE=1s")
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_134, time.Unix(1_600_000_000, 0), ""),
		401)
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room2", 1_587_954_134, time.Unix(1_600_000_000, 0), ""),
		401)
	all := entriesOf(t, dir, "quarantine")
	out, errOut, code := command(t, dir, "quarantine", "release", fmt.Sprint(all[0].Number), "--wait", "0s")
	if got := results(t, out); code != exitDone || got[0].State != bridge.DeliveryWaiting ||
		!strings.Contains(errOut, "still waiting") {
		t.Errorf("%d %q %q", code, out, errOut)
	}
	service.terminate(t)
	out, errOut, code = command(t, dir, "quarantine", "release", fmt.Sprint(all[1].Number))
	if got := results(t, out); code != exitDone || got[0].State != offlineState ||
		!strings.Contains(errOut, "next start") {
		t.Errorf("%d %q %q", code, out, errOut)
	}
	if out, errOut, code = command(t, dir, "journal", "replay", "--all"); code != exitDone ||
		!strings.Contains(errOut, "next start") {
		t.Errorf("%d %q %q", code, out, errOut)
	}
}

// TestAuditWithoutTheService: with the service stopped, a command logs what it changes as the service does: the
// entries, those that are missing, the command and the user. One that changes nothing logs nothing.
func TestAuditWithoutTheService(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	service := launch(t, dir, prefix+"NATS_URL=nats://127.0.0.1:1", prefix+"SHUTDOWN_GRACE=1s")
	service.send(t, "/live/stream", streamCallback("PUBLISH", "waits", 1_587_954_134, time.Now(), ""), 200)
	service.expired(t, "room1")
	service.expired(t, "room2")
	service.terminate(t)
	var lines []string
	audited := func(args ...string) {
		_, errOut, _ := command(t, dir, args...)
		for line := range strings.Lines(errOut) {
			var l struct {
				Msg, Command, Kind, Lane string
				Entries, Missing         []uint64
				Events, UID, PID         *int
			}
			if json.Unmarshal([]byte(line), &l) != nil || l.Command == "" {
				continue
			}
			if l.UID == nil || *l.UID != os.Getuid() || l.PID == nil || *l.PID == 0 {
				t.Errorf("the line does not tell who it was: %s", line)
			}
			lines = append(lines, fmt.Sprint(l.Command, l.Entries, l.Missing, l.Msg))
		}
	}
	all := entriesOf(t, dir, "quarantine")
	first, second := fmt.Sprint(all[0].Number), fmt.Sprint(all[1].Number)
	audited("quarantine", "show", first)
	audited("quarantine", "purge", "--all", "--dry-run")
	audited("quarantine", "release", first)
	audited("quarantine", "purge", second, "987654321")
	audited("journal", "replay", "--all")
	audited("journal", "replay", "--lane", "push.example.com/live/elsewhere")
	want := []string{
		"quarantine release[" + first + "] []entries released by an operator",
		"quarantine purge[" + second + "] [987654321]entries purged by an operator",
		"journal replay[] []events replayed by an operator",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("logged %q, want %q", lines, want)
	}
}
