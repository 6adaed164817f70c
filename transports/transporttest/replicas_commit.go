package transporttest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"livebridge/bridge"
)

// wholeCommit: events, rows and the position are what the next owner and the readers find.
func wholeCommit(t *testing.T, h ReplicasHarness) {
	intake := h.Open(t, 2)
	a, b := intake.Replica(t), intake.Replica(t)
	for n := range 5 {
		appended(t, a, 1, fmt.Sprint("input ", n))
	}
	p, _ := taken(t, a, 1)
	records := readToEnd(t, p)
	want := samples()
	committed(t, p, bridge.PartitionCommit{Events: want[:2], Next: records[1].Position + 1,
		Rows: []bridge.Row{row("a", "1"), row("b", "1"), row("empty", "")}})
	committed(t, p, bridge.PartitionCommit{Events: want[2:], Next: records[2].Position + 1,
		Rows: []bridge.Row{row("a", "2"), removed("b")}})
	committed(t, p, bridge.PartitionCommit{Next: records[3].Position})
	q, state := taken(t, b, 1)
	state.check(t, map[string]string{"a": "2", "empty": ""})
	if left := readToEnd(t, q); len(left) != 2 || string(left[0].Value) != "input 3" {
		t.Errorf("the next owner reads %v", left)
	}
	checkEvents(t, intake.Events(t, 1), want)
	checkEvents(t, intake.Events(t, 0), nil)
}

// largeCommit is of more than a broker takes in one batch.
func largeCommit(t *testing.T, h ReplicasHarness) {
	intake := h.Open(t, 1)
	p, _ := taken(t, intake.Replica(t), 0)
	large := strings.Repeat("x", 3000)
	var events []*bridge.Event
	var rows []bridge.Row
	want := make(map[string]string)
	for n := range 700 {
		e := event(lane(n%10), uint64(n/10+1))
		e.Data = fmt.Appendf(nil, "%q", large)
		events = append(events, e)
		rows = append(rows, row(fmt.Sprint("key ", n), large))
		want[fmt.Sprint("key ", n)] = large
	}
	committed(t, p, bridge.PartitionCommit{Events: events, Rows: rows})
	_, state := taken(t, intake.Replica(t), 0)
	state.check(t, want)
	checkEvents(t, intake.Events(t, 0), events)
}

// rejectedEvent: the commit says which event the output will never take, leaves nothing behind, and the owner goes on
// without it.
func rejectedEvent(t *testing.T, h ReplicasHarness) {
	intake := h.Open(t, 1)
	r := intake.Replica(t)
	p, _ := taken(t, r, 0)
	events := events(6, 1, 2)
	events[7].Data = fmt.Appendf(nil, "%q", strings.Repeat("x", h.TooLarge))
	commit := bridge.PartitionCommit{Events: events, Rows: []bridge.Row{row("a", "1")}}
	_, err := p.Commit(within(t), commit)
	var rejected *bridge.RejectedEvent
	if !errors.As(err, &rejected) || rejected.Index != 7 || !bridge.IsRejected(err) {
		t.Fatalf("the answer is %v", err)
	}
	state := newState()
	if err := r.Partitions.State(within(t), 0, 0, state.put); err != nil {
		t.Fatal(err)
	}
	state.check(t, nil)
	checkEvents(t, intake.Events(t, 0), nil)
	commit.Events = append(events[:7:7], events[8:]...)
	committed(t, p, commit)
	checkEvents(t, intake.Events(t, 0), commit.Events)
}

// restoreFromPosition: who kept the state up to a position gets what was committed since, and knows where the intake is
// read next even if that is nothing.
func restoreFromPosition(t *testing.T, h ReplicasHarness) {
	for _, behind := range []int{0, 3} {
		const commits = 12
		r := h.Open(t, 1).Replica(t)
		for n := range commits {
			appended(t, r, 0, fmt.Sprint(n))
		}
		p, _ := taken(t, r, 0)
		inputs := readToEnd(t, p)
		kept, from, want := newState(), uint64(0), make(map[string]string)
		for n := range commits {
			rows := []bridge.Row{row(fmt.Sprint("key ", n%5), fmt.Sprint(n)), row("last", fmt.Sprint(n))}
			for _, r := range rows {
				want[string(r.Key)] = string(r.Value)
			}
			next := committed(t, p, bridge.PartitionCommit{Rows: rows, Next: inputs[n].Position + 1})
			if n == commits-behind-1 {
				kept.rows, from = maps.Clone(want), next
			}
		}
		q, err := r.Partitions.Take(within(t), 0, from, kept.put)
		if err != nil {
			t.Fatal(err)
		}
		kept.check(t, want)
		if left := readToEnd(t, q); len(left) != 0 {
			t.Errorf("the position in the intake is lost: %d inputs are read again", len(left))
		}
		_ = q.Close()
	}
}

// putFails: an error of put ends the taking, and another can take the partition.
func putFails(t *testing.T, h ReplicasHarness) {
	r := h.Open(t, 1).Replica(t)
	p, _ := taken(t, r, 0)
	committed(t, p, bridge.PartitionCommit{Rows: []bridge.Row{row("a", "1")}})
	enough := errors.New("enough")
	_, err := r.Partitions.Take(within(t), 0, 0, func([]bridge.Row, uint64) error { return enough })
	if !errors.Is(err, enough) {
		t.Errorf("Take returns %v", err)
	}
	_, state := taken(t, r, 0)
	state.check(t, map[string]string{"a": "1"})
}

// stateWithoutOwning: reading the state takes nothing from its owner.
func stateWithoutOwning(t *testing.T, h ReplicasHarness) {
	intake := h.Open(t, 1)
	p, _ := taken(t, intake.Replica(t), 0)
	other, want := intake.Replica(t), make(map[string]string)
	for n := range 3 {
		want[fmt.Sprint(n)] = "x"
		committed(t, p, bridge.PartitionCommit{Rows: []bridge.Row{row(fmt.Sprint(n), "x")}})
		Eventually(t, "the state has the commit", func() bool { // which readers may see a little later
			state := newState()
			if err := other.Partitions.State(within(t), 0, 0, state.put); err != nil {
				t.Fatal(err)
			}
			return len(state.rows) == len(want)
		})
	}
}

// commitWithoutAnswer: whatever became of a commit that was given up, the next owner finds all of it or nothing.
func commitWithoutAnswer(t *testing.T, h ReplicasHarness) {
	intake := h.Open(t, 1)
	r := intake.Replica(t)
	var want []*bridge.Event
	for n := uint64(1); n <= 10; n++ {
		p, state := taken(t, r, 0)
		if len(state.rows) != len(want) {
			if want = append(want, event(lane(0), n-1)); len(state.rows) != len(want) {
				t.Fatalf("the state has %d rows of %d commits", len(state.rows), len(want))
			}
		}
		ctx, cancel := context.WithTimeout(within(t), retryPause)
		_, err := p.Commit(ctx, bridge.PartitionCommit{
			Events: []*bridge.Event{event(lane(0), n)}, Rows: []bridge.Row{row(fmt.Sprint(n), "x")}})
		cancel()
		if err == nil {
			want = append(want, event(lane(0), n))
		}
		_ = p.Close()
	}
	_, state := taken(t, r, 0)
	if len(state.rows) != len(want) {
		want = append(want, event(lane(0), 10))
	}
	checkEvents(t, intake.Events(t, 0), want)
}
