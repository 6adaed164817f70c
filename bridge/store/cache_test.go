package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
)

// openCache opens a cache for a test.
func openCache(t testing.TB, fs FS, now func() time.Time) *Cache {
	t.Helper()
	c, err := OpenCache(CacheOptions{Dir: "cache", FS: fs, OpenFiles: 64, Now: now, Log: zap.NewNop()})
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

// cacheModel is a processor on a cache, beside one on a memory that the same inputs go to.
type cacheModel struct {
	t       *testing.T
	r       *rapid.T
	options processor.Options
	memory  *processortest.Partition
	began   time.Time

	cache     *Cache
	processor *processor.Processor
	effects   processor.Effects
	commits   [][]bridge.Row
	emitted   []*bridge.Event
	numbers   []uint64 // of entries that have been
}

func newCacheModel(t *testing.T, r *rapid.T) *cacheModel {
	t.Helper()
	m := &cacheModel{t: t, r: r, began: time.UnixMilli(1_700_000_000_000), options: processor.Options{
		Limits:  processor.Limits{HoldDone: 10 * time.Second, HoldNext: 3 * time.Second, PerLane: 3},
		HeldMax: 4, DedupeWindow: time.Minute, DedupeMax: 12, LanesCached: 2, QuarantineMax: 4,
		QuarantineMaxAge: time.Hour, DeadLettersMax: 100, PublishQuarantine: true,
	}}
	var err error
	if m.memory, err = processortest.Begin(m.options, m.began); err != nil {
		t.Fatal(err)
	}
	m.cache = openCache(t, vfs.NewMem(), m.now)
	m.cache.State().Origin, m.cache.State().Counters.Floor = 1, m.memory.Memory.Counters.Floor
	m.begin()
	m.do()
	return m
}

func (m *cacheModel) now() time.Time { return m.memory.Now().Wall }

// begin has a processor go on with what the cache shows.
func (m *cacheModel) begin() {
	kept, err := m.cache.Kept()
	if err == nil {
		m.processor, err = processor.New(m.options, m.cache, m.cache.State().CopyCounters(), kept, m.memory.Now())
	}
	if err != nil {
		m.r.Fatal(err)
	}
	m.effects = processor.Effects{}
}

// do applies inputs to both, and commits.
func (m *cacheModel) do(inputs ...processor.Input) {
	if err := m.memory.Do(inputs...); err != nil {
		m.r.Fatal(err)
	}
	for _, in := range append(inputs, processor.Input{Action: processor.Expire}) {
		in.Now = m.memory.Now()
		if err := m.processor.Apply(in, &m.effects); err != nil {
			m.r.Fatal(err)
		}
	}
	for _, q := range m.effects.Quarantined {
		m.numbers = append(m.numbers, q.Number)
	}
	m.emitted = append(m.emitted, m.effects.Emitted...)
	rows, err := m.cache.Rows(&m.effects, uint64(len(m.commits)), nil)
	if err != nil {
		m.r.Fatal(err)
	}
	m.commits = append(m.commits, rows)
	if err := m.cache.Apply(rows, uint64(len(m.commits))); err != nil {
		m.r.Fatal(err)
	}
	m.processor.Committed()
	m.effects.Reset()
	m.checkKeys(rows)
}

// checkKeys: each key is there once.
func (m *cacheModel) checkKeys(rows []bridge.Row) {
	keys := make(map[string]bool)
	for _, row := range rows {
		if keys[string(row.Key)] {
			m.r.Fatalf("key %q is there twice", row.Key)
		}
		keys[string(row.Key)] = true
	}
}

// check compares both.
func (m *cacheModel) check() {
	if got, want := fmt.Sprint(events(m.emitted)), fmt.Sprint(events(m.memory.Emitted)); got != want {
		m.r.Fatalf("emitted\n%s\nwant\n%s", got, want)
	}
	if got, want := m.cache.State().Counters, m.memory.Memory.Counters; !reflect.DeepEqual(got, want) {
		m.r.Fatalf("counters %+v, want %+v", got, want)
	}
}

func events(emitted []*bridge.Event) (out []string) {
	for _, e := range emitted {
		out = append(out, fmt.Sprintf("%s %d %s %s\n", e.Lane, e.Sequence, e.Type, e.Marks))
	}
	return out
}

// takeOver restores another cache from what was committed, of which compaction may have left less, and goes on with it.
func (m *cacheModel) takeOver(compact bool) {
	commits := m.commits
	if compact {
		commits = compacted(commits)
	}
	closeCache(m.t, m.cache)
	m.cache = openCache(m.t, vfs.NewMem(), m.now)
	for i, rows := range commits {
		if err := m.cache.Apply(rows, uint64(i+1)); err != nil {
			m.r.Fatal(err)
		}
	}
	if len(commits) == 0 {
		m.cache.State().Origin, m.cache.State().Counters.Floor = 1, m.memory.Memory.Counters.Floor
	}
	m.begin()
	if err := m.memory.Restart(); err != nil {
		m.r.Fatal(err)
	}
	m.do()
}

// compacted returns of each key the last row alone, and none that was removed.
func compacted(commits [][]bridge.Row) [][]bridge.Row {
	last := make(map[string]int)
	for i, rows := range commits {
		for _, row := range rows {
			last[string(row.Key)] = i
		}
	}
	left := make([][]bridge.Row, len(commits))
	for i, rows := range commits {
		for _, row := range rows {
			if last[string(row.Key)] == i && row.Value != nil {
				left[i] = append(left[i], row)
			}
		}
	}
	return left
}

// input draws one.
func (m *cacheModel) input() processor.Input {
	r := m.r
	stream := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(r, "stream")
	switch rapid.IntRange(0, 9).Draw(r, "input") {
	case 0, 3, 4:
		return processor.Input{Action: processor.Arrive, Arrival: processortest.Suspect(
			stream+fmt.Sprint(rapid.IntRange(0, 9).Draw(r, "suspect")), rapid.IntRange(0, 3).Draw(r, "sum"),
			bridge.ReasonExpired)}
	case 1:
		action := rapid.SampledFrom([]processor.Action{processor.Release, processor.Purge}).Draw(r, "command")
		return processor.Input{Action: action, Queue: bridge.QuarantineQueue,
			Numbers: []uint64{rapid.SampledFrom(append([]uint64{99}, m.numbers...)).Draw(r, "number")}}
	case 2:
		return processor.Input{Action: processor.Reject, Rejected: processor.Rejection{
			Event: &bridge.Event{Lane: bridge.Lane{Kind: 1, Stream: stream}}, Reason: bridge.RejectionTooLarge, Detail: "x"}}
	}
	session := bridge.Millis(1_600_000_000_000 + rapid.IntRange(0, 3).Draw(r, "session"))
	return processor.Input{Action: processor.Arrive, Arrival: processortest.Push(stream, session,
		rapid.SampledFrom([]bridge.Phase{bridge.PhasePublish, bridge.PhaseDone}).Draw(r, "phase"))}
}

// pass lets time pass; everything is forgotten that has had its time.
func (m *cacheModel) pass(d time.Duration) {
	m.memory.Every = 1 << 61 // here alone
	if err := m.memory.Pass(d); err != nil {
		m.r.Fatal(err)
	}
	m.do() // holds have ended
	now := m.memory.Now()
	idle := m.memory.Idle(now)
	found, err := m.cache.IdleLanes(now, 1000)
	if err != nil || len(found) != len(idle) {
		m.r.Fatalf("%d lanes are idle, want %d (%v)", len(found), len(idle), err)
	}
	m.do(processor.Input{Action: processor.Forget, Idle: idle})
}

// TestCacheFollowsItsRows has a processor decide on a cache, which is restored from its rows now and then, and another
// one on a memory: both decide the same.
func TestCacheFollowsItsRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		m := newCacheModel(t, r)
		defer func() { closeCache(t, m.cache) }()
		r.Repeat(map[string]func(*rapid.T){
			"arrive": func(*rapid.T) {
				var inputs []processor.Input
				for range rapid.IntRange(1, 5).Draw(r, "inputs") {
					inputs = append(inputs, m.input())
				}
				m.do(inputs...)
			},
			"seconds":            func(*rapid.T) { m.pass(4 * time.Second) },
			"window":             func(*rapid.T) { m.pass(2 * time.Minute) },
			"weeks":              func(*rapid.T) { m.pass(31 * 24 * time.Hour) },
			"restored":           func(*rapid.T) { m.takeOver(false) },
			"restored compacted": func(*rapid.T) { m.takeOver(true) },
			"":                   func(*rapid.T) { m.check() },
		})
	})
}

// TestCacheIsKept: what was closed goes on where it was, and what belongs to another state does not go on.
func TestCacheIsKept(t *testing.T) {
	t.Parallel()
	disk, now := vfs.NewMem(), time.UnixMilli(1_700_000_000_000)
	clock := func() time.Time { return now }
	c := openCache(t, disk, clock)
	state := State{Origin: 7, Commits: 1, Next: 3}
	row := bridge.Row{Key: []byte{tableMeta}, Value: state.append(nil)}
	if err := c.Apply([]bridge.Row{row}, 40); err != nil {
		t.Fatal(err)
	}
	closeCache(t, c)
	c = openCache(t, disk, clock)
	if c.Position() != 40 || !reflect.DeepEqual(*c.State(), state) {
		t.Errorf("it goes on at %d with %+v", c.Position(), *c.State())
	}
	state.Origin = 8
	err := c.Apply([]bridge.Row{{Key: []byte{tableMeta}, Value: state.append(nil)}}, 41)
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
	if !slices.IsSorted(found) || found[len(found)-1] == 0 {
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
