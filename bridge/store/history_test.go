package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
	"livebridge/bridge/record"
)

// archive is a store with a history, and what that should be.
type archive struct {
	*disk
	kept []outbox.Published // oldest first
	next uint64             // number of the next one
}

func newArchive(t testing.TB, keep time.Duration, bytes uint64) *archive {
	d := create(t)
	d.opts.Keep, d.opts.KeepBytes = keep, bytes
	d.restart(false)
	return &archive{disk: d, next: 1}
}

// keep has n events of a few lanes published now.
func (a *archive) keep(n, size int) {
	a.t.Helper()
	b := a.NewBatch(nil)
	var removals []outbox.Removal
	for range n {
		i := int(a.next)
		e := recording(fmt.Sprint("s", i%3), i).Event
		e.Sequence, e.Session, e.Recorded = uint64(i), bridge.Millis(i%4), a.now.Millis()-1
		e.Data = fmt.Appendf(nil, "%q", make([]byte, size))
		if i%5 == 0 {
			e.Marks = bridge.MarkReplayed
		}
		p := outbox.Published{Event: &e, At: a.now.Millis(), Where: bridge.Position{Topic: "live", Subject: "s",
			Partition: int32(i % 2), Offset: int64(i)}}
		a.kept, a.next = append(a.kept, p), a.next+1
		removals = append(removals, outbox.Removal{Published: &p})
	}
	a.must(b.keepAll(removals))
	a.drop(b, 0)
}

// drop has the limits obeyed and a number of bytes given up, and seals the batch.
func (a *archive) drop(b *Batch, need uint64) HistoryDrop {
	a.t.Helper()
	d, err := b.DropHistory(a.now.Millis(), need)
	a.must(err)
	a.seal(b, false)
	gone := int(d.Aged + d.Sized + d.Disk)
	if gone > len(a.kept) {
		a.t.Fatalf("%+v of %d are dropped", d, len(a.kept))
	}
	a.kept = a.kept[gone:]
	return d
}

// read reads all pages of a query.
func (a *archive) read(q bridge.HistoryQuery) (all []HistoryEntry) {
	a.t.Helper()
	for pages := 0; ; pages++ {
		found, cursor, err := a.HistoryPage(q)
		a.must(err)
		all = append(all, found...)
		if q.Cursor = cursor; cursor == nil {
			return all
		}
		if len(found) > q.Limit || pages > 10_000 {
			a.t.Fatalf("a page of %d with a limit of %d", len(found), q.Limit)
		}
	}
}

// wanted returns what a query should find.
func (a *archive) wanted(q bridge.HistoryQuery) (all []outbox.Published) {
	for _, p := range a.kept {
		e := p.Event
		if (q.Lane == "" || q.Lane == e.Lane.Subject()) && (q.ID == "" || q.ID == e.ID.String()) &&
			(q.Session == 0 || q.Session == e.Session) && p.At >= q.From && (q.Until == 0 || p.At < q.Until) &&
			!(q.Replayable && e.Marks == bridge.MarkReplayed) {
			all = append(all, p)
		}
	}
	if q.Newest {
		slices.Reverse(all)
	}
	return all
}

// check compares a query with what it should find, and the tables with what is counted.
func (a *archive) check(t interface{ Errorf(string, ...any) }, q bridge.HistoryQuery) {
	got, want := a.read(q), a.wanted(q)
	same := len(got) == len(want)
	for i := 0; same && i < len(got); i++ {
		g, w := got[i].Published, want[i]
		same = g.At == w.At && g.Where == w.Where &&
			string(record.AppendEvent(nil, g.Event)) == string(record.AppendEvent(nil, w.Event))
	}
	if !same {
		t.Errorf("%+v finds %d entries, not the %d of %d that it should", q, len(got), len(want), len(a.kept))
	}
	usage, oldest := a.History()
	found, n := a.tables(), uint64(len(a.kept))
	if there := [...]uint64{usage.Entries, found.History.Entries, found.HistoryLanes.Entries,
		found.HistoryIDs.Entries}; there != [...]uint64{n, n, n, n} {
		t.Errorf("%d should be kept, %+v is counted and %+v is there", n, usage, found)
	}
	if n == 0 && (oldest != 0 || usage.Bytes != 0) || n > 0 && oldest > a.kept[0].At {
		t.Errorf("the oldest is of %v, %+v", oldest, usage)
	}
}

// query draws one.
func (a *archive) query(t *rapid.T) (q bridge.HistoryQuery) {
	q.Limit = rapid.IntRange(1, 40).Draw(t, "limit")
	q.Newest, q.Replayable = rapid.Bool().Draw(t, "newest"), rapid.Bool().Draw(t, "replayable")
	if len(a.kept) > 0 {
		p := a.kept[rapid.IntRange(0, len(a.kept)-1).Draw(t, "entry")]
		switch rapid.IntRange(0, 5).Draw(t, "by") {
		case 0:
			q.Kind, q.Lane = p.Event.Lane.Kind.String(), p.Event.Lane.Subject()
		case 1:
			q.ID = p.Event.ID.String()
		case 2:
			q.Session = p.Event.Session
		case 3:
			q.From = p.At
		case 4:
			q.Until = p.At
		}
	}
	return q
}

// TestHistory writes, ages, drops and reads a history in any order, through restarts and losses of power.
func TestHistory(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a := newArchive(t, time.Hour, 1<<20)
		defer a.close()
		for range rapid.IntRange(1, 14).Draw(r, "steps") {
			switch rapid.IntRange(0, 5).Draw(r, "step") {
			case 0, 1:
				a.keep(rapid.IntRange(1, 40).Draw(r, "n"), rapid.IntRange(1, 2000).Draw(r, "size"))
			case 2:
				a.pass(time.Duration(rapid.IntRange(-40, 90).Draw(r, "minutes")) * time.Minute) // the clock may jump
			case 3:
				a.drop(a.NewBatch(nil), uint64(rapid.IntRange(0, 1<<20).Draw(r, "need")))
			case 4:
				a.restart(rapid.Bool().Draw(r, "power"))
			}
			a.check(r, a.query(r))
		}
	})
}

// TestHistoryLimits: what is older than is kept is dropped, and not much more; so is what is more than the bytes.
func TestHistoryLimits(t *testing.T) {
	a := newArchive(t, time.Hour, 1<<20)
	defer a.close()
	for range 200 {
		a.keep(5, 500)
		a.pass(time.Minute)
	}
	age := time.Duration(a.now.Millis()-a.kept[0].At) * time.Millisecond
	if age < 59*time.Minute || age > time.Hour+5*time.Minute {
		t.Errorf("the oldest is %v old", age)
	}
	for range 100 {
		a.keep(20, 1000)
		if usage, _ := a.History(); usage.Bytes > 1<<20 {
			t.Fatalf("%d bytes are kept", usage.Bytes)
		}
	}
	if usage, _ := a.History(); usage.Bytes < 900<<10 {
		t.Errorf("%d bytes are kept", usage.Bytes)
	}
	if n := a.tables().Segments.Entries; n > 2*segmentShare {
		t.Errorf("there are %d segments", n)
	}
	a.check(t, bridge.HistoryQuery{})
}

// TestHistoryOfAWrongClock: a clock that was ahead keeps nothing for longer than what follows, and one that was behind
// drops nothing early.
func TestHistoryOfAWrongClock(t *testing.T) {
	a := newArchive(t, time.Hour, 1<<30)
	defer a.close()
	a.keep(5, 10)
	a.pass(-24 * time.Hour)
	a.keep(5, 10)
	a.pass(24 * time.Hour)
	a.keep(5, 10)
	a.check(t, bridge.HistoryQuery{})
	if len(a.kept) != 15 {
		t.Errorf("%d of 15 are kept", len(a.kept))
	}
	a.pass(48 * time.Hour)
	a.keep(5, 10) // drops what was before
	a.pass(-48 * time.Hour)
	a.keep(5, 10)
	a.pass(2 * time.Hour)
	a.keep(5, 10)
	if len(a.kept) != 5 {
		t.Errorf("%d of 5 are kept", len(a.kept))
	}
}

// TestHistoryIsTurnedOff: without a time to keep it for all of it goes, and nothing comes.
func TestHistoryIsTurnedOff(t *testing.T) {
	a := newArchive(t, time.Hour, 1<<30)
	a.keep(50, 10)
	a.opts.Keep = 0
	a.restart(false)
	defer a.close()
	a.check(t, bridge.HistoryQuery{})
	if d := a.drop(a.NewBatch(nil), 0); d.Aged != 50 {
		t.Errorf("%+v", d)
	}
	a.check(t, bridge.HistoryQuery{})
}

// TestHistoryIsPaused: while the disk has no room nothing is written, and it is counted.
func TestHistoryIsPaused(t *testing.T) {
	a := newArchive(t, time.Hour, 1<<30)
	defer a.close()
	a.keep(3, 10)
	a.PauseHistory(true)
	before := a.kept
	a.keep(4, 10)
	a.kept = before
	a.check(t, bridge.HistoryQuery{})
	a.PauseHistory(false)
	a.keep(2, 10)
	if found := a.read(bridge.HistoryQuery{}); len(found) != 5 {
		t.Errorf("%d are kept", len(found))
	}
}

// TestHistoryPageIsBounded: a query that finds little ends its page after some entries, and goes on where it ended.
func TestHistoryPageIsBounded(t *testing.T) {
	a := newArchive(t, time.Hour, 1<<30)
	defer a.close()
	for range 21 {
		a.keep(1000, 1)
	}
	q := bridge.HistoryQuery{EventFilter: bridge.EventFilter{Session: 99}}
	found, cursor, err := a.HistoryPage(q)
	if err != nil || len(found) != 0 || cursor == nil {
		t.Fatalf("%d, %v, %v", len(found), cursor, err)
	}
	q.Cursor = cursor
	if _, cursor, err = a.HistoryPage(q); err != nil || cursor != nil {
		t.Errorf("%v, %v", cursor, err)
	}
	for _, f := range []bridge.EventFilter{{Kind: "stream", Lane: "a/b"}, {Lane: "a/b/c"}, {ID: "12"},
		{ID: "zz" + fmt.Sprintf("%030d", 0)}} {
		if _, _, err := a.HistoryPage(bridge.HistoryQuery{EventFilter: f}); err == nil {
			t.Errorf("%+v is a filter", f)
		}
	}
}
