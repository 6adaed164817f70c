package journal

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
)

// memory returns the options of a journal on a disk in memory.
func memory() Options {
	o := DefaultOptions("journal")
	o.FS = vfs.NewCrashableMem()
	return o
}

func open(t testing.TB, o Options) *Journal {
	t.Helper()
	o.Registerer = prometheus.NewRegistry()
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func closeJournal(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func add(t testing.TB, j *Journal, arrivals ...*bridge.Arrival) {
	t.Helper()
	for _, a := range arrivals {
		if err := j.Append(context.Background(), a); err != nil {
			t.Fatal(err)
		}
	}
}

// drain acknowledges n events and returns them as lines "stream sequence type marks", in the order of Next.
func drain(t testing.TB, j *Journal, n int) []string {
	t.Helper()
	ctx, cancel := untilFailed(t, j)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 10*time.Minute) // of virtual time, in most tests
	defer cancel()
	var out []string
	for len(out) < n {
		events, err := j.outbox.Next(ctx)
		if err != nil {
			t.Fatalf("after %d of %d events: %v", len(out), n, err)
		}
		for _, e := range events {
			out = append(out, line1(e))
			j.outbox.Settle(e, bridge.Settlement{})
		}
	}
	return out
}

func line1(e *bridge.Event) string {
	return fmt.Sprintf(
		"%s %d %s %s",
		e.Lane.Stream,
		ordinal(e.Sequence),
		e.Type[len("com.huaweicloud.live.stream."):],
		e.Marks,
	)
}

// ordinal returns a sequence without the floor of its journal: 1 for the first event of a lane. It takes a floor that
// no lane has been forgotten above, and lanes of less than 1000 events.
func ordinal(sequence uint64) uint64 { return sequence % processor.SequencesPerMilli }

func durable(context.Context) error { return nil }

// soon returns a context that ends after every wait of a test, so that one fails which waits for what does not come: a
// bubble, whose journal always has a timer that goes off, is not found to be deadlocked. It takes no time there.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
	t.Cleanup(cancel)
	return ctx
}

// untilFailed returns a context that ends when the journal fails, or as soon does.
func untilFailed(t testing.TB, j *Journal) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
	go func() {
		select {
		case <-j.Failed():
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// audit returns where the tables and what is counted of them differ. Nothing may be under way.
func audit(j *Journal) (broken []string) {
	found, err := j.store.Tables()
	if err != nil {
		return []string{err.Error()}
	}
	c := j.processor.Counters()
	for _, table := range []struct {
		name         string
		found, count processor.Usage
	}{
		{"outbox", found.Rows, j.store.Rows()}, {"held", found.Held, c.Held},
		{"quarantine", found.Quarantine, c.Quarantine}, {"dead letters", found.DeadLetters, c.DeadLetters},
	} {
		if table.found != table.count {
			broken = append(broken, fmt.Sprintf("%s has %+v, and %+v is counted", table.name, table.found, table.count))
		}
	}
	kept, _ := j.store.History()
	for _, found := range []processor.Usage{found.History, found.HistoryLanes, found.HistoryIDs} {
		if found.Entries != kept.Entries {
			broken = append(broken, fmt.Sprintf("history has %d, and %d is counted", found.Entries, kept.Entries))
		}
	}
	return broken
}

// The callbacks of the tests.
var push, suspect, suspects = processortest.Push, processortest.Suspect, processortest.Suspects
