package journal

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"

	"livebridge/bridge"
)

// edges are numbers of entries around the edges of pages of PageMax.
var edges = []int{
	0,
	1,
	bridge.PageMax - 1,
	bridge.PageMax,
	bridge.PageMax + 1,
	2 * bridge.PageMax,
	2*bridge.PageMax + 1,
	3*bridge.PageMax + 1,
}

// numbersFrom lists a review queue page by page and returns the numbers and how many pages they took.
func numbersFrom(s *observed, queue bridge.ReviewQueue, q bridge.Query, limit int) (numbers []uint64, pages int) {
	s.t.Helper()
	for pages = 1; ; pages++ {
		page := list(s.t, s.Journal, queue, q)
		for _, e := range page {
			numbers = append(numbers, e.Number)
		}
		if len(page) > limit {
			s.t.Fatalf("a page of %d entries, with a limit of %d", len(page), limit)
		}
		if len(page) < limit {
			return numbers, pages
		}
		q.After = page[len(page)-1].Number
	}
}

// manySuspects puts n callbacks of three streams, for two reasons, in quarantine.
func (s *observed) manySuspects(n int) {
	s.t.Helper()
	s.takeTogether(n, func(i int) *bridge.Arrival {
		a := push(fmt.Sprint("s", i%3), bridge.Millis(9e11+i), bridge.PhasePublish)
		a.Reason, a.Signature = []bridge.Reason{bridge.ReasonExpired, bridge.ReasonTampered}[i%2], bridge.Signature{}
		return a
	})
}

// TestListPages: page after page shows every entry once, in order, however many there are and whatever the page's size.
func TestListPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := observe(t, unpublished())
		s.manySuspects(slices.Max(edges))
		all, _ := numbersFrom(s, bridge.QuarantineQueue, bridge.Query{}, bridge.PageMax)
		if len(all) != slices.Max(edges) || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
			t.Fatalf("%d entries: %v", len(all), all)
		}
		for _, n := range edges {
			after := all[0] - 1
			if n < len(all) {
				after = all[len(all)-n-1]
			}
			for ask, limit := range map[int]int{0: bridge.PageMax, -1: bridge.PageMax, bridge.PageMax: bridge.PageMax,
				bridge.PageMax + 1: bridge.PageMax, math.MaxInt: bridge.PageMax, bridge.PageMax - 1: bridge.PageMax - 1,
				bridge.PageMax / 2: bridge.PageMax / 2} {
				got, pages := numbersFrom(s, bridge.QuarantineQueue, bridge.Query{After: after, Limit: ask}, limit)
				if !slices.Equal(got, all[len(all)-n:]) || pages != n/limit+1 {
					t.Errorf("%d entries with a limit of %d: %d in %d pages", n, ask, len(got), pages)
				}
			}
		}
		for _, limit := range []int{1, 7, bridge.PageMax} { // a page has so many that match, however many lie between
			q := bridge.Query{Reason: "tampered", Lane: "push.example.com/live/s1", Limit: limit}
			if some, _ := numbersFrom(s, bridge.QuarantineQueue, q, limit); len(some) != len(all)/6 {
				t.Errorf("%d match, %d a page; want %d", len(some), limit, len(all)/6)
			}
		}
		if none := list(t, s.Journal, bridge.QuarantineQueue, bridge.Query{After: math.MaxUint64}); len(none) != 0 {
			t.Errorf("%d entries lie after the last number of all", len(none))
		}
	})
}

// TestPurgePages: a command may name as many entries as it likes, and takes off those and no others; the numbers of
// what is gone are not given again.
func TestPurgePages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := observe(t, unpublished())
		s.manySuspects(slices.Max(edges))
		all, _ := numbersFrom(s, bridge.QuarantineQueue, bridge.Query{}, bridge.PageMax)
		for _, n := range []int{1, bridge.PageMax, bridge.PageMax + 1} {
			taken := slices.Concat(all[:n-1], all[len(all)-1:])
			all = all[n-1 : len(all)-1]
			if got := done(t, must(s.Purge(bridge.QuarantineQueue, taken)), nil); !slices.Equal(got, taken) {
				t.Errorf("%d of %d are purged", len(got), n)
			}
			s.restart()
			if left, _ := numbersFrom(s, bridge.QuarantineQueue, bridge.Query{}, bridge.PageMax); !slices.Equal(left, all) {
				t.Fatalf("%d are left, want %d", len(left), len(all))
			}
		}
		last := all[len(all)-1]
		must(s.Purge(bridge.QuarantineQueue, all))
		s.restart()
		s.take(suspect("new", 1, bridge.ReasonExpired))
		if left, _ := numbersFrom(s, bridge.QuarantineQueue, bridge.Query{}, bridge.PageMax); len(left) != 1 ||
			left[0] <= last {
			t.Errorf("after number %d comes %v", last, left)
		}
	})
}

// replays replays everything that a query chooses and returns how many pages and events that were.
func (s *observed) replays(q bridge.ReplayQuery) (pages, events int) {
	s.t.Helper()
	for pages = 1; ; pages++ {
		r, err := s.Replay(q)
		if err != nil {
			s.t.Fatal(err)
		}
		events += r.Replayed
		if q.Cursor, q.UpTo = r.Cursor, r.UpTo; q.Cursor == nil {
			return pages, events
		}
	}
}

// TestReplayPages: everything that the outbox has is replayed once, as it was, however many pages that takes: of many
// lanes, or of one whose name begins others' names.
func TestReplayPages(t *testing.T) {
	for _, n := range []int{0, 1, bridge.PageMax - 1, bridge.PageMax, bridge.PageMax + 1, 2*bridge.PageMax + 1} {
		for _, c := range []struct {
			name   string
			query  bridge.ReplayQuery
			stream func(i int) string
			others int
		}{
			{"of all lanes", bridge.ReplayQuery{}, func(i int) string { return fmt.Sprint("s", i) }, 0},
			{"of one lane", bridge.ReplayQuery{Kind: "record", Lane: "push.example.com/live/s1"},
				func(int) string { return "s1" }, 4},
		} {
			if c.others > 0 && n%bridge.PageMax > 1 {
				continue // one lane is read as all are
			}
			t.Run(fmt.Sprintf("%d %s", n, c.name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := observe(t, memory())
					if c.others > 0 {
						s.take(recording("s0", 1), recording("s10", 1), recording("s", 1), push("s1", 9e11, bridge.PhasePublish))
					}
					s.takeTogether(n, func(i int) *bridge.Arrival { return recording(c.stream(i), i) })
					pages, events := s.replays(c.query)
					if want := max(1, (n+bridge.PageMax-1)/bridge.PageMax); events != n || pages < want ||
						c.others == 0 && pages != want {
						t.Errorf("%d replayed in %d pages", events, pages)
					}
					s.comesTwice(n, c.others)
				})
			})
		}
	}
}

// TestReplayLeavesWhatComesMeanwhile: what is emitted after the first page of a replay is not part of it, wherever it
// lies.
func TestReplayLeavesWhatComesMeanwhile(t *testing.T) {
	for _, memory := range []int{1, 1 << 16} {
		synctest.Test(t, func(t *testing.T) {
			o := unpublished()
			o.OutboxMemory = memory
			s := observe(t, o)
			const n = bridge.PageMax + 1
			s.takeTogether(n, func(i int) *bridge.Arrival { return recording(fmt.Sprint("s", i), 1) })
			first, err := s.Replay(bridge.ReplayQuery{})
			if err != nil || first.Cursor == nil {
				t.Fatalf("%+v, %v", first, err)
			}
			s.take(recording("z", 1), recording("z", 2))
			last, err := s.Replay(bridge.ReplayQuery{Cursor: first.Cursor, UpTo: first.UpTo})
			if err != nil || first.Replayed+last.Replayed != n || last.UpTo != first.UpTo || last.Cursor != nil {
				t.Errorf("%+v and %+v, %v; want %d", first, last, err, n)
			}
			s.comesTwice(n, 2)
		})
	}
}

// comesTwice fails unless n events come out of the outbox and once more behind them, marked, and some others once.
func (s *observed) comesTwice(n, others int) {
	s.t.Helper()
	first := make(map[bridge.ID]*bridge.Event)
	replayed := 0
	for _, e := range s.out() {
		if e.Marks != bridge.MarkReplayed {
			first[e.ID] = e
			continue
		}
		replayed++
		again, was := *e, first[e.ID]
		if was == nil || again.Sequence <= was.Sequence {
			s.t.Fatalf("%+v is not behind %+v", again, was)
		}
		again.Sequence, again.Marks = was.Sequence, was.Marks
		if fmt.Sprint(again) != fmt.Sprint(*was) {
			s.t.Errorf("%+v is replayed as %+v", *was, again)
		}
		first[e.ID] = e // or a second replay of it would lie behind the first
	}
	if replayed != n || len(first) != n+others {
		s.t.Errorf("%d events and %d replays come out, want %d and %d", len(first), replayed, n+others, n)
	}
}

// TestBacklogPages: whatever the last run has left comes out once, in the order of its lanes and as it was, at every
// edge of a page: by lanes, by events, by bytes.
func TestBacklogPages(t *testing.T) {
	for _, c := range []struct{ memory, lanes, events, bytes int }{
		{256, 1, 1, 0}, {256, 1, 2, 0}, {256, 1, 3, 0}, {256, 1, 191, 0}, {256, 1, 192, 0}, {256, 1, 193, 0},
		{256, 1, 300, 0},
		{256, 3, 1, 0}, {256, 4, 1, 0}, {256, 5, 1, 0}, {256, 9, 1, 0}, {256, 13, 3, 0}, {256, 7, 50, 0},
		{1, 1, 3, 0}, {1, 3, 3, 0}, {2, 5, 9, 0}, {1024, 4, 8, 0}, {1024, 4, 9, 0}, {1024, 9, 129, 0},
		{1024, 1, 9, 600 << 10},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := memory()
				o.OutboxMemory = c.memory
				s := observe(t, o)
				want := make(map[string]int)
				for lane := range c.lanes {
					for i := range c.events {
						a := recording(fmt.Sprint("s", lane), i)
						a.Event.Data = append(a.Event.Data, bytes.Repeat([]byte{byte(i)}, c.bytes)...)
						s.take(a)
					}
				}
				s.restart()
				for _, e := range s.out() {
					i := want[e.Lane.Stream]
					want[e.Lane.Stream]++
					a := recording(e.Lane.Stream, i)
					data := append(a.Event.Data, bytes.Repeat([]byte{byte(i)}, c.bytes)...)
					if e.ID != a.Event.ID || !bytes.Equal(e.Data, data) {
						t.Fatalf("event %d of %s is %s, want %s", i, e.Lane.Stream, e.ID, a.Event.ID)
					}
				}
				for lane := range c.lanes {
					if n := want[fmt.Sprint("s", lane)]; n != c.events {
						t.Errorf("%d events of lane %d have come out", n, lane)
					}
				}
				s.restart()
				if s.outbox.Pending() != 0 {
					t.Errorf("%d come out again", s.outbox.Pending())
				}
			})
		})
	}
}
