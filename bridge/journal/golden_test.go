package journal

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
)

var updateGolden = flag.Bool("golden.update", false, "write the golden journal of this format anew")

// goldenDir holds a journal as a run has left it, and beside it, in contents.json, what is in it. Every later version
// must open it, or refuse its format: a change that fails here needs a new format number and a new directory.
const goldenDir = "testdata/format3"

// goldenContents is everything that an operator and a consumer get out of a journal.
type goldenContents struct {
	Stats       bridge.JournalStats
	Quarantine  []bridge.Entry
	DeadLetters []bridge.Entry
	Events      []*bridge.Event
}

// TestGoldenJournal opens the golden journal and finds everything that it was left with.
func TestGoldenJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if *updateGolden {
			leaveGolden(t)
		}
		want, err := os.ReadFile(filepath.Join(goldenDir, "contents.json"))
		if err != nil {
			t.Fatal(err)
		}
		o := goldenOptions()
		if _, err := vfs.Clone(vfs.Default, o.FS, filepath.Join(goldenDir, "journal"), o.Dir); err != nil {
			t.Fatal(err)
		}
		if got := readGolden(t, o); string(got) != string(want) {
			t.Errorf("the journal holds\n%s\nwant\n%s", got, want)
		}
	})
}

// goldenOptions have a clock that stands still, so that nothing is forgotten and no hold ends.
func goldenOptions() Options {
	o := memory()
	o.Wall = func() time.Time { return time.Unix(1_700_000_000, 0) }
	return o
}

// readGolden reads everything as JSON: first what lies there, then what comes out of the outbox.
func readGolden(t *testing.T, o Options) []byte {
	t.Helper()
	s := observe(t, o)
	var c goldenContents
	var err error
	if c.Stats, err = s.Inspect(); err != nil {
		t.Fatal(err)
	}
	c.Stats.StoreBytes, c.Stats.FreeBytes = 0, 0 // of the disk
	c.Quarantine = list(t, s.Journal, bridge.QuarantineQueue, bridge.Query{Raw: true})
	c.DeadLetters = list(t, s.Journal, bridge.DeadLetterQueue, bridge.Query{})
	c.Events = s.out()
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// leaveGolden writes the golden journal: every table has something in it, and what it held is read with this version.
func leaveGolden(t *testing.T) {
	t.Helper()
	o := goldenOptions()
	j := open(t, o)
	add(t, j, push("dead", 9e11, bridge.PhasePublish))
	synctest.Wait()
	settleNext(t, j, bridge.Settlement{DeadLetter: bridge.RejectionTooLarge, Detail: "2 MB"})
	add(t, j, doubtful("expired", 9e11, bridge.ReasonExpired), push("held", 9e11, bridge.PhaseDone))
	o.OutboxMemory = 1 // what comes now is written under its lane, what came before in batches
	closeJournal(t, j)
	j = open(t, o)
	add(t, j, push("rows", 9e11, bridge.PhasePublish), push("rows", 9e11, bridge.PhaseDone))
	closeJournal(t, j)
	o.OutboxMemory = goldenOptions().OutboxMemory
	if err := os.RemoveAll(goldenDir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(goldenDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := vfs.Clone(o.FS, vfs.Default, o.Dir, filepath.Join(goldenDir, "journal"), vfs.CloneSync); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(goldenDir, "contents.json"), readGolden(t, o), 0o644); err != nil {
		t.Fatal(err)
	}
}

// settleNext settles the one event that comes next.
func settleNext(t *testing.T, j *Journal, s bridge.Settlement) {
	t.Helper()
	ctx, cancel := untilFailed(t, j)
	defer cancel()
	events, err := j.outbox.Next(ctx)
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	j.outbox.Settle(events[0], s)
	synctest.Wait()
	trim(t, j)
}
