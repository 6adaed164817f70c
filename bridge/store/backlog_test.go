package store

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
)

// TestScanIsInPages: a scan that is taken up where the page before has ended comes by every lane once, in order,
// however little a page takes.
func TestScanIsInPages(t *testing.T) {
	d := create(t)
	defer d.close()
	for n := range 3 {
		d.emit(false, n, "a", "b", "c", "d", "e", "f", "g")
	}
	for most := 1; most <= 8; most++ {
		for places := range 4 {
			var lanes []string
			for from := (bridge.Lane{}); ; {
				p := &outbox.Page{Committed: d.Committed(), Most: most}
				d.must(d.Scan(p, from, func(bridge.Lane) (uint64, int) { return d.floor() + 1, places }))
				for _, l := range p.Lanes {
					lanes = append(lanes, l.Lane.Stream)
					if l.First != d.floor()+2 || len(l.Events) > places || l.Newest < l.First {
						t.Errorf("of %s it reads %d events from %d, and knows of %d", l.Lane.Stream, len(l.Events), l.First, l.Newest)
					}
				}
				if from = p.Next; from == (bridge.Lane{}) {
					break
				}
			}
			if got := strings.Join(lanes, ""); got != "abcdefg" {
				t.Errorf("pages of %d, %d places: %s", most, places, got)
			}
		}
	}
}

// TestReadLanes: lanes are read from where they are asked for, as much as is asked for, until the page is full; what is
// not there is an error.
func TestReadLanes(t *testing.T) {
	d := create(t)
	defer d.close()
	for n := range 5 {
		d.emit(false, n, "a", "b")
	}
	l := func(s string) bridge.Lane { return recording(s, 0).Event.Lane }
	read := func(p *outbox.Page, requests ...outbox.Request) string {
		t.Helper()
		p.Committed = d.Committed()
		if err := d.ReadLanes(p, requests); err != nil {
			return err.Error()
		}
		var out []string
		for _, l := range p.Lanes {
			out = append(out, fmt.Sprint(l.Lane.Stream, len(l.Events), " of ", l.Newest-l.First+1))
		}
		return strings.Join(out, ", ")
	}
	a2, b1 := outbox.Request{
		Lane:   l("a"),
		From:   d.floor() + 2,
		Places: 2,
	}, outbox.Request{
		Lane:   l("b"),
		From:   d.floor() + 1,
		Places: 9,
	}
	for _, c := range []struct {
		most int
		all  bool
		want string
	}{{100, false, "a2 of 3, b5 of 5"}, {2, false, "a2 of 3"}, {3, false, "a2 of 3, b1 of 2"},
		{1, true, "a2 of 3, b5 of 5"}} {
		if got := read(&outbox.Page{Most: c.most, All: c.all}, a2, b1); got != c.want {
			t.Errorf("a page of %d has %s, want %s", c.most, got, c.want)
		}
	}
	if got := read(&outbox.Page{Most: 9}, outbox.Request{Lane: l("a"), From: d.floor() + 6, Places: 1}); !strings.Contains(
		got,
		"is not in the outbox",
	) {
		t.Errorf("behind the end: %s", got)
	}
	d.must(d.db.Delete(outboxKey(nil, l("b"), d.floor()+3), nil))
	if got := read(&outbox.Page{Most: 9}, b1); !strings.Contains(got, "files are damaged: event") {
		t.Errorf("over a gap: %s", got)
	}
	for sequence, want := range map[uint64]bool{1: true, 3: false, 5: true, 6: false} {
		if found, err := d.Has(l("b"), d.floor()+sequence); err != nil || found != want {
			t.Errorf("event %d is there: %v, %v", sequence, found, err)
		}
	}
}

// TestUnsyncedIsNotRead: a reader who knows of an earlier commit does not see what came with a later one.
func TestUnsyncedIsNotRead(t *testing.T) {
	d := create(t)
	defer d.close()
	d.emit(false, 1, "a")
	before := d.Committed()
	d.emit(false, 2, "a", "b")
	p := &outbox.Page{Committed: before, All: true}
	d.must(d.Scan(p, bridge.Lane{}, func(bridge.Lane) (uint64, int) { return 0, 9 }))
	if len(p.Lanes) != 2 || len(p.Lanes[0].Events) != 1 || len(p.Lanes[1].Events) != 0 ||
		p.Lanes[1].Newest >= p.Lanes[1].First {
		t.Errorf("%+v", p.Lanes)
	}
}

// TestOrderOfLanes: keys are in the order that an outbox takes for granted: by kind, then by the bytes of the subject,
// then by sequence.
func TestOrderOfLanes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (bridge.Lane, uint64) {
			text := rapid.SampledFrom([]string{"", "a", "a/b", "ab", "b", "\x00", "ü", "a-", "a.", "A"})
			return bridge.Lane{
					Kind:   bridge.Kind(rapid.IntRange(1, 4).Draw(t, name)),
					Domain: text.Draw(t, name),
					App:    text.Draw(t, name),
					Stream: text.Draw(t, name),
				}, rapid.Uint64().
					Draw(t, name)
		}
		a, m := draw("a")
		b, n := draw("b")
		want := cmp.Or(cmp.Compare(a.Kind, b.Kind), strings.Compare(a.Subject(), b.Subject()), cmp.Compare(m, n))
		if got := bytes.Compare(outboxKey(nil, a, m), outboxKey(nil, b, n)); got != want {
			t.Errorf("%+v %d against %+v %d: %d, want %d", a, m, b, n, got, want)
		}
	})
}

// TestOutboxPages: what lies under the lanes is read page by page, of all lanes or of one whose name begins others'
// names; replays are left out, and so is what was emitted later.
func TestOutboxPages(t *testing.T) {
	d := create(t)
	defer d.close()
	d.emit(false, 1, "s", "s1", "s10")
	for n := range bridge.PageMax + 1 {
		d.emit(false, 2+n, "s1")
	}
	upTo := d.Committed()
	d.emit(false, 5000, "s1", "s2")
	for _, c := range []struct {
		q     bridge.ReplayQuery
		want  int
		pages int
	}{
		{bridge.ReplayQuery{}, bridge.PageMax + 4, 2},
		{bridge.ReplayQuery{Kind: "record", Lane: "push.example.com/live/s1"}, bridge.PageMax + 2, 2},
		{bridge.ReplayQuery{Kind: "record", Lane: "push.example.com/live/s"}, 1, 1},
		{bridge.ReplayQuery{Kind: "stream", Lane: "push.example.com/live/s1"}, 0, 1},
	} {
		c.q.UpTo = upTo
		var ids []bridge.ID
		pages := 1
		for ; ; pages++ {
			events, cursor, err := d.OutboxPage(c.q)
			d.must(err)
			for _, e := range events {
				ids = append(ids, e.ID)
			}
			if c.q.Cursor = cursor; cursor == nil {
				break
			}
		}
		slices.SortFunc(ids, func(a, b bridge.ID) int { return bytes.Compare(a[:], b[:]) })
		if n := len(slices.Compact(ids)); len(ids) != c.want || n != c.want || pages != c.pages {
			t.Errorf(
				"%+v: %d events, %d of them different, in %d pages; want %d in %d",
				c.q,
				len(ids),
				n,
				pages,
				c.want,
				c.pages,
			)
		}
	}
}

// TestLaneNames: a lane is named by kind and subject, all lanes by nothing, and everything else is an error that says
// so.
func TestLaneNames(t *testing.T) {
	for _, l := range []bridge.Lane{recording("room1", 0).Event.Lane,
		{Kind: bridge.KindStream, Domain: "d", App: "a/b", Stream: "ü"}} {
		if got, err := LaneOf(l.Kind.String(), l.Subject()); err != nil || got != l {
			t.Errorf("%v is read as %v, %v", l, got, err)
		}
		if err := CheckLane(l.Kind.String(), l.Subject()); err != nil {
			t.Error(err)
		}
	}
	if err := CheckLane("", ""); err != nil {
		t.Errorf("all lanes: %v", err)
	}
	if _, err := LaneOf("", ""); err == nil {
		t.Error("no lane is a lane")
	}
	for _, bad := range [][2]string{{"stream", ""}, {"", "a/b/c"}, {"streams", "a/b/c"}, {"stream", "a/b"},
		{"stream", "a/b/c/d"}} {
		if err := CheckLane(bad[0], bad[1]); err == nil ||
			!strings.Contains(err.Error(), "names no lane; write one such as") {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := LaneOf(bad[0], bad[1]); err == nil {
			t.Errorf("%q is a lane", bad)
		}
	}
	if _, err := LaneOf("stream", "%zz/b/c"); err == nil {
		t.Error("a subject that cannot be read is a lane")
	}
}
