package store

import (
	"fmt"
	"slices"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
)

// TestUnpublishedPage: what is held and what the outbox has, wherever it lies, page by page.
func TestUnpublishedPage(t *testing.T) {
	d := create(t)
	defer func() { d.close() }()
	d.arrive(false, recording("a", 1), recording("b", 1))
	d.arrive(true, recording("a", 2), recording("c", 1))
	d.arrive(true, push("held", 1, bridge.PhaseDone))
	read := func(f bridge.EventFilter, limit int) (all []string) {
		q := bridge.HistoryQuery{EventFilter: f, Limit: limit}
		for {
			found, cursor, err := d.UnpublishedPage(q)
			d.must(err)
			for _, u := range found {
				all = append(all, fmt.Sprint(u.Event.Lane.Stream, " ", u.Held))
			}
			if q.Cursor = cursor; cursor == nil {
				return all
			}
		}
	}
	want := []string{"held true", "a false", "c false", "a false", "b false"}
	for _, limit := range []int{0, 1, 2, 5} {
		if got := read(bridge.EventFilter{}, limit); !slices.Equal(got, want) {
			t.Errorf("%d at once: %q", limit, got)
		}
	}
	lane := recording("a", 1).Event.Lane
	if got := read(bridge.EventFilter{Kind: lane.Kind.String(), Lane: lane.Subject()}, 1); len(got) != 2 {
		t.Errorf("of a lane: %q", got)
	}
	id := recording("b", 1).Event.ID.String()
	if got := read(bridge.EventFilter{ID: id}, 1); !slices.Equal(got, []string{"b false"}) {
		t.Errorf("of an id: %q", got)
	}
	found, _, err := d.UnpublishedPage(bridge.HistoryQuery{Replayable: true})
	if err != nil || len(found) != 4 {
		t.Errorf("%d can be replayed, %v", len(found), err)
	}
}

// TestLeftOverBatches: where nothing may be written, what the broker has of an event batch that was left is not shown.
func TestLeftOverBatches(t *testing.T) {
	d := create(t)
	d.arrive(true, recording("a", 1), recording("b", 1))
	first := d.last
	d.arrive(true, recording("a", 2))
	d.commit(true, []outbox.Removal{removal(first[0]), removal(d.last[0])}) // of a; that of b keeps the first batch whole
	left := d.fs.CrashClone(cloneAll())
	d.close()
	d.opts.Access, d.fs = ReadOnly, left
	d.open()
	defer func() { d.background.Wait(); d.must(d.Discard()) }() // the filters are loading
	found, _, err := d.UnpublishedPage(bridge.HistoryQuery{})
	if err != nil || len(found) != 1 || found[0].Event.Lane.Stream != "b" {
		t.Errorf("%d, %v", len(found), err)
	}
}
