package store

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// openCache opens a cache for a test.
func openCache(t testing.TB, fs FS, now func() time.Time) *Cache {
	t.Helper()
	c, err := OpenCache(CacheOptions{Dir: "cache", FS: fs, OpenFiles: 64, Now: now, SessionEvents: true,
		Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func closeCache(t testing.TB, c *Cache) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestCacheIsKept: what was closed goes on where it was, and what belongs to another state does not go on.
func TestCacheIsKept(t *testing.T) {
	t.Parallel()
	disk, now := vfs.NewMem(), time.UnixMilli(1_700_000_000_000)
	clock := func() time.Time { return now }
	c := openCache(t, disk, clock)
	state := State{Origin: 7, Commits: 1, Next: 3}
	row := bridge.Row{Key: []byte{tableMeta}, Value: state.value()}
	if err := c.Apply([]bridge.Row{row}, 40); err != nil {
		t.Fatal(err)
	}
	closeCache(t, c)
	c = openCache(t, disk, clock)
	if _, err := OpenCache(c.opts); !errors.Is(err, ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
	if c.Position() != 40 || !reflect.DeepEqual(*c.State(), state) {
		t.Errorf("it goes on at %d with %+v", c.Position(), *c.State())
	}
	state.Origin = 8
	err := c.Apply([]bridge.Row{{Key: []byte{tableMeta}, Value: state.value()}}, 41)
	if !errors.Is(err, ErrOtherState) || c.Position() != 40 {
		t.Errorf("a row of another state: %v; it is at %d", err, c.Position())
	}
	closeCache(t, c)
	now = now.Add(cacheMaxAge + time.Second)
	c = openCache(t, disk, clock)
	if c.Position() != 0 || c.State().Origin != 0 {
		t.Errorf("an old one goes on at %d", c.Position())
	}
	closeCache(t, c)
}

// TestCacheAfterACrash: what a crash leaves of a cache is one that the state had, with its position.
func TestCacheAfterACrash(t *testing.T) {
	t.Parallel()
	disk := vfs.NewCrashableMem()
	c := openCache(t, disk, time.Now)
	lane := bridge.Lane{Kind: bridge.KindStream, Domain: "d", App: "a", Stream: "s"}
	value := make([]byte, 64<<10)
	var clones []*vfs.MemFS
	for i := range uint64(400) {
		l := processor.LaneState{Name: lane}
		l.State.Sequence = i + 1
		eff := processor.Effects{Lanes: []processor.LaneState{l}, DeadLettered: []processor.DeadLetter{{
			Number: i + 1, Event: &bridge.Event{Data: value}}}}
		rows, err := c.Rows(&eff, i+1, nil)
		if err == nil {
			err = c.Apply(rows, i+1)
		}
		if i%50 == 24 && err == nil {
			err = c.s.db.Flush() // as happens by itself once there is enough
		}
		if err != nil {
			t.Fatal(err)
		}
		if i%50 == 49 {
			clones = append(clones, disk.CrashClone(vfs.CrashCloneCfg{}))
		}
	}
	closeCache(t, c)
	var found []uint64
	for _, clone := range clones {
		c := openCache(t, clone, time.Now)
		l, _, err := c.Lane(lane, processor.Moment{})
		if err != nil || l.State.Sequence != c.Position() || c.State().Next != c.Position() {
			t.Errorf("at %d it shows sequence %d and position %d (%v)", c.Position(), l.State.Sequence, c.State().Next, err)
		}
		found = append(found, c.Position())
		closeCache(t, c)
	}
	if !slices.IsSorted(found) || found[0] == 0 {
		t.Errorf("crashes left positions %d: nothing was on disk", found)
	}
}

// counters are those of a partition with one bucket, which was begun at an instant.
func counters(first bridge.Millis) processor.Counters {
	return processor.Counters{Buckets: []processor.Bucket{{Number: 1, First: first}}}
}

// TestForgottenBucketStaysForgotten: what a bucket had does not come back with another bucket of its number, although
// its rows are still there.
func TestForgottenBucketStaysForgotten(t *testing.T) {
	t.Parallel()
	c := openCache(t, vfs.NewMem(), time.Now)
	defer closeCache(t, c)
	name := processor.Name{Part: 1, Sum: [16]byte{7}}
	for i, eff := range []processor.Effects{
		{Identities: []processor.Name{name}, Counters: counters(5)},
		{Counters: counters(9)},
	} {
		rows, err := c.Rows(&eff, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		rows = slices.DeleteFunc(rows, func(row bridge.Row) bool { return row.Value == nil })
		if err := c.Apply(rows, uint64(i+1)); err != nil {
			t.Fatal(err)
		}
		if _, found, err := c.Name(name); err != nil || found != (i == 0) {
			t.Errorf("after commit %d: found %v, %v", i+1, found, err)
		}
	}
}

// TestEntryThatCameAndWent: what is put into the quarantine and leaves it in one commit has one row, which removes it.
func TestEntryThatCameAndWent(t *testing.T) {
	t.Parallel()
	c := openCache(t, vfs.NewMem(), time.Now)
	defer closeCache(t, c)
	r := processor.QuarantineRecord{Number: 5}
	eff := processor.Effects{Quarantined: []processor.Quarantined{{QuarantineRecord: r, Event: &bridge.Event{}}},
		Unquarantine: []processor.QuarantineRecord{r}}
	rows, err := c.Rows(&eff, 1, nil)
	if err != nil || len(rows) != 2 || rows[0].Value != nil || rows[1].Key[0] != tableMeta {
		t.Errorf("rows %q, %v", rows, err)
	}
}
