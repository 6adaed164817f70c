package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
)

// pageSizes returns how many entries or events lie in one lane each: around the edges of pages.
func pageSizes() []int {
	if testing.Short() {
		return []int{bridge.PageMax + 1, 1}
	}
	return []int{0, 1, bridge.PageMax, bridge.PageMax + 1, 2*bridge.PageMax + 1}
}

// laneOfSize names the lane that has so many.
func laneOfSize(n int) string { return fmt.Sprintf("push.example.com/live/s%d", n) }

// filledJournal returns a directory with a journal of lanes of these sizes, in quarantine or, without a reason, in the
// outbox.
func filledJournal(t *testing.T, reason bridge.Reason) string {
	t.Helper()
	dir := t.TempDir()
	o := journal.DefaultOptions(dir)
	o.PublishQuarantine = false
	j, err := journal.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	for _, n := range pageSizes() {
		for i := range n {
			work.Go(func() {
				err := j.Append(context.Background(), &bridge.Arrival{Reason: reason, Event: bridge.Event{
					ID: bridge.ID{byte(n), byte(n >> 8), byte(i), byte(i >> 8)}, Type: "com.huaweicloud.live.record.start",
					Data: []byte("{}"),
					Lane: bridge.Lane{Kind: bridge.KindRecord, Domain: "push.example.com", App: "live", Stream: fmt.Sprint("s", n)},
				}})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	work.Wait()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// withAndWithoutService runs a test on a journal that nobody has open, and on one that is reached through its control
// socket.
func withAndWithoutService(t *testing.T, reason bridge.Reason, test func(t *testing.T, dir string)) {
	t.Run("without the service", func(t *testing.T) { test(t, filledJournal(t, reason)) })
	t.Run("through the service", func(t *testing.T) {
		dir := filledJournal(t, reason)
		o := journal.DefaultOptions(dir)
		o.PublishQuarantine = false
		j, err := journal.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		c, err := admin.NewControl(dir, j, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- c.Serve() }()
		test(t, dir)
		if err := errors.Join(c.Shutdown(context.Background()), <-served, j.Close()); err != nil {
			t.Error(err)
		}
	})
}

// succeed runs a command that must succeed and returns what it printed.
func succeed(t *testing.T, dir string, args ...string) (out, errOut string) {
	t.Helper()
	out, errOut, code := command(t, dir, args...)
	if code != exitDone {
		t.Fatalf("%q: %d %s", args, code, errOut)
	}
	return out, errOut
}

// TestListAndPurgeAllPages: list shows all of a lane, or prints where the rest begins; purge --all and
// release --all apply to all of it and nothing else.
func TestListAndPurgeAllPages(t *testing.T) {
	t.Parallel()
	withAndWithoutService(t, bridge.ReasonExpired, func(t *testing.T, dir string) {
		for _, n := range pageSizes() {
			lane := laneOfSize(n)
			for _, limit := range []int{0, 1, bridge.PageMax, n, n + 1} {
				out, hint := succeed(t, dir, "quarantine", "list", "--lane", lane, "--limit", fmt.Sprint(limit))
				shown, want := strings.Count(out, "\n"), n
				if limit > 0 {
					want = min(n, limit)
				}
				if shown != want || (hint != "") != (want < n) {
					t.Errorf("list of %d with a limit of %d shows %d and says %q", n, limit, shown, hint)
				}
				if hint == "" {
					continue
				}
				var after string
				if _, err := fmt.Sscanf(hint, "more entries follow: list --after %s", &after); err != nil {
					t.Fatalf("%q: %v", hint, err)
				}
				out, _ = succeed(t, dir, "quarantine", "list", "--lane", lane, "--limit", "0", "--after", after)
				if rest := strings.Count(out, "\n"); rest != n-limit {
					t.Errorf("list of %d shows %d after the first %d", n, rest, limit)
				}
			}
		}
		all := 0
		for _, n := range pageSizes() {
			all += n
		}
		for i, n := range pageSizes() {
			verb := []string{"purge", "release"}[i%2]
			args := []string{"quarantine", verb, "--all", "--lane", laneOfSize(n)}
			if verb == "release" {
				args = append(args, "--wait", "0")
			} else {
				args = append(args, "--yes")
			}
			out, output := succeed(t, dir, args...)
			if want := fmt.Sprintf("quarantine %s: %d of %d done", verb, n, n); !strings.HasPrefix(lastLine(output), want) ||
				strings.Count(out, "\n") != n {
				t.Errorf("%d lines and %q, want %d and %q", strings.Count(out, "\n"), output, n, want)
			}
			all -= n
			if left := len(entriesOf(t, dir, "quarantine", "--limit", "0")); left != all {
				t.Errorf("%d are left after those of %s, want %d", left, laneOfSize(n), all)
			}
		}
	})
}

// lastLine returns the last line of a command's standard error, behind what it has logged.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// TestReplayAllPages: replay goes on until everything of a lane, or of all, is replayed, once.
func TestReplayAllPages(t *testing.T) {
	t.Parallel()
	withAndWithoutService(t, "", func(t *testing.T, dir string) {
		replayed := func(want int, which ...string) {
			t.Helper()
			out, output := succeed(t, dir, append([]string{"journal", "replay", "--wait", "0"}, which...)...)
			if sum := fmt.Sprintf("journal replay: %d events", want); !strings.HasPrefix(lastLine(output), sum) ||
				strings.Count(out, "\n") != want {
				t.Errorf("%d lines and %q, want %d and %q", strings.Count(out, "\n"), output, want, sum)
			}
		}
		all := 0
		for _, n := range pageSizes() {
			all += n
			replayed(n, "--lane", "record:"+laneOfSize(n))
		}
		replayed(all, "--all")
	})
}

// TestWholeLines compares every byte of what the commands print of an entry.
func TestWholeLines(t *testing.T) {
	e := bridge.Entry{Number: 17, Reason: "expired", Received: "2000-01-01T00:00:00.007Z", ID: "0102", Kind: "record",
		Lane: "push.example.com/live/s", Type: "com.huaweicloud.live.record.start", Scheme: "md5", Sequence: 3,
		Data: []byte(`{"a":"<&>"}`), Raw: []byte{'{', 0xff}}
	least := bridge.Entry{Number: 18, Reason: "malformed", Received: e.Received, ID: "0103", Kind: "rtc-record",
		Type: e.Type, Scheme: "none"}
	for _, c := range []struct {
		print func(w *bytes.Buffer) error
		want  string
	}{
		{func(w *bytes.Buffer) error { return printLine(w, &e) },
			`{"number":17,"reason":"expired","received":"2000-01-01T00:00:00.007Z","id":"0102","kind":"record",` +
				`"lane":"push.example.com/live/s","type":"com.huaweicloud.live.record.start","signature":"md5","sequence":3,` +
				`"data":{"a":"<&>"},"raw":"e/8="}` + "\n"},
		{func(w *bytes.Buffer) error { return printLine(w, &least) },
			`{"number":18,"reason":"malformed","received":"2000-01-01T00:00:00.007Z","id":"0103","kind":"rtc-record",` +
				`"type":"com.huaweicloud.live.record.start","signature":"none"}` + "\n"},
		{func(w *bytes.Buffer) error { return printRow(w, &e) },
			"17        2000-01-01T00:00:00.007Z  expired                   record:push.example.com/live/s            " +
				"live.record.start\n"},
		{func(w *bytes.Buffer) error { printCard(w, &e); return nil },
			"number     17\nreason     expired\nreceived   2000-01-01T00:00:00.007Z\n" +
				"lane       record:push.example.com/live/s\nid         0102\ntype       com.huaweicloud.live.record.start\n" +
				"signature  md5\n" +
				"data       {\"a\":\"<&>\"}\nbody       {\\xff\n"},
		{func(w *bytes.Buffer) error { printCard(w, &least); return nil },
			"number     18\nreason     malformed\nreceived   2000-01-01T00:00:00.007Z\n" +
				"lane       rtc-record\nid         0103\ntype       com.huaweicloud.live.record.start\nsignature  none\n"},
	} {
		var w bytes.Buffer
		if err := c.print(&w); err != nil || w.String() != c.want {
			t.Errorf("%v: printed is\n%q, want\n%q", err, w.String(), c.want)
		}
	}
}

// failingOperator does two pages and fails with the third.
type failingOperator struct {
	admin.Operator
	pages int
}

var errThirdPage = errors.New("the third page fails")

func (d *failingOperator) page() error {
	if d.pages++; d.pages > 2 {
		return errThirdPage
	}
	return nil
}

func (d *failingOperator) List(_ bridge.ReviewQueue, q bridge.Query) ([]bridge.Entry, error) {
	entries := make([]bridge.Entry, q.Limit)
	for i := range entries {
		entries[i].Number = q.After + uint64(i) + 1
	}
	return entries, d.page()
}

func (d *failingOperator) Purge(_ bridge.ReviewQueue, numbers []uint64) ([]bridge.Outcome, error) {
	return make([]bridge.Outcome, len(numbers)), d.page()
}

func (d *failingOperator) Replay(bridge.ReplayQuery) (bridge.ReplayResult, error) {
	if err := d.page(); err != nil {
		return bridge.ReplayResult{}, err
	}
	return bridge.ReplayResult{Replayed: 7, Cursor: []byte{1}, UpTo: 9}, nil
}

// TestErrorBetweenPages: what was done before an error is reported, and the command fails with the error.
func TestErrorBetweenPages(t *testing.T) {
	s := reviewCommand{name: bridge.QuarantineQueue}
	for name, c := range map[string]struct {
		do   func(c *cobra.Command, d *failingOperator) error
		want string
	}{
		"replay": {func(c *cobra.Command, d *failingOperator) error { return replay(c, d, []bridge.ReplayQuery{{}}, 0, "") },
			"journal replay: 14 events\n"},
		"nothing replayed": {func(c *cobra.Command, d *failingOperator) error {
			d.pages = 2
			return replay(c, d, []bridge.ReplayQuery{{}}, 0, "")
		}, "journal replay: 0 events\n"},
		"purge": {func(c *cobra.Command, d *failingOperator) error {
			results, err := s.apply(d, admin.Operator.Purge, make([]uint64, 3*bridge.PageMax))
			return errors.Join(s.report(c, "purge", results, 3*bridge.PageMax, ""), err)
		}, "quarantine purge: 1000 of 1500 done\n"},
		"numbers": {func(c *cobra.Command, d *failingOperator) error {
			numbers, err := s.entryNumbers(d, filter{})
			fmt.Fprint(c.ErrOrStderr(), len(numbers))
			return err
		}, "1000"},
	} {
		t.Run(name, func(t *testing.T) {
			var w bytes.Buffer
			command := &cobra.Command{}
			command.SetOut(io.Discard)
			command.SetErr(&w)
			if err := c.do(command, &failingOperator{}); !errors.Is(err, errThirdPage) || w.String() != c.want {
				t.Errorf("the output is %q, want %q; %v", w.String(), c.want, err)
			}
		})
	}
}
