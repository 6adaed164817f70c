package store

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
)

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
		SessionEvents: true, SessionStaleAfter: 90 * time.Second,
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
	for d > 0 {              // to the end of one hold after the other: what follows from them is of their instants
		step := d
		if deadline, holding := m.memory.Deadline(); holding {
			step = min(d, max(m.memory.Now().Until(deadline), 1))
		}
		if err := m.memory.Pass(step); err != nil {
			m.r.Fatal(err)
		}
		m.do()
		d -= step
	}
	now := m.memory.Now()
	idle := m.memory.Idle(now)
	found, err := m.cache.IdleLanes(now, 1000)
	if err != nil || len(found) != len(idle) {
		m.r.Fatalf("%d lanes are idle, want %d (%v)", len(found), len(idle), err)
	}
	unended := m.memory.Unended(now, m.options.SessionStaleAfter)
	missing, err := m.cache.UnendedLanes(now, 1000, m.options.SessionStaleAfter)
	if err != nil || fmt.Sprint(missing) != fmt.Sprint(unended) {
		m.r.Fatalf("the ends of %v are missing, want %v (%v)", missing, unended, err)
	}
	m.do(processor.Input{Action: processor.Forget, Idle: idle, Unended: unended})
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
