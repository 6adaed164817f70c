package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
)

// someRows returns rows of each kind.
func someRows(f *testing.F) (rows []bridge.Row) {
	f.Helper()
	c := openCache(f, vfs.NewMem(), time.Now)
	defer closeCache(f, c)
	e := &processortest.Push("a", 1_600_000_000_000, bridge.PhaseDone).Event
	lane := processor.LaneState{Name: e.Lane}
	lane.Sessions = []processor.Session{{Session: 1_600_000_000_000, Started: 5}}
	held := lane
	held.Name.Stream = "b"
	eff := processor.Effects{
		Lanes:      []processor.LaneState{lane, held},
		Identities: []processor.Name{{Part: 1, Sum: e.ID}}, Signatures: []processor.Signature{{}},
		Quarantined:  []processor.Quarantined{{Event: e, Raw: []byte("raw")}},
		DeadLettered: []processor.DeadLetter{{Number: 2, Event: e}},
		Counters:     processor.Counters{Buckets: []processor.Bucket{{Number: 1, First: 5}}},
	}
	outcome := bridge.Outcome{Number: 1, Emitted: &bridge.Emission{Kind: "stream", Lane: "a/b/c", Sequence: 1}}
	rows, err := c.Rows(&eff, 1, []CommandResult{{Outcomes: []bridge.Outcome{outcome}}})
	if err != nil {
		f.Fatal(err)
	}
	return append(rows, bridge.Row{Key: rows[0].Key})
}

// FuzzRows: no row makes a cache or a review panic, and what one of them takes does not fail the other.
func FuzzRows(f *testing.F) {
	for _, row := range someRows(f) {
		f.Add(row.Key, row.Value)
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		c := openCache(t, vfs.NewMem(), time.Now)
		defer closeCache(t, c)
		rows := []bridge.Row{{Key: key, Value: value}}
		v := NewReview()
		if err := c.Apply(rows, 1); err != nil || v.Apply(rows, 1) != nil {
			return
		}
		if _, err := c.Kept(); err != nil {
			t.Errorf("row %q: %q was taken, and then: %v", key, value, err)
		}
		for _, q := range []bridge.ReviewQueue{bridge.QuarantineQueue, bridge.DeadLetterQueue} {
			if _, err := v.Entries(q, 0); err != nil {
				t.Errorf("row %q: %q was taken, and then: %v", key, value, err)
			}
		}
		if _, err := v.OpenSessions(""); err != nil {
			t.Errorf("row %q: %q was taken, and then: %v", key, value, err)
		}
	})
}

// FuzzReadState: what can be read of a state row is written again as it was understood.
func FuzzReadState(f *testing.F) {
	s := State{Origin: 7, Commits: 3, Next: 9, Results: 1, Recorded: 1_700_000_000_000, SignaturesBelow: 4}
	s.Counters.Buckets = []processor.Bucket{{Number: 1, First: 5, Last: 6, Count: 7}}
	f.Add(s.value())
	f.Fuzz(func(t *testing.T, value []byte) {
		s, err := readState(value)
		if err != nil {
			return
		}
		if again, err := readState(s.value()); err != nil || fmt.Sprint(again) != fmt.Sprint(s) {
			t.Errorf("%+v became %+v, %v", s, again, err)
		}
	})
}

// FuzzReadResult is the same for what became of a command.
func FuzzReadResult(f *testing.F) {
	emitted := bridge.Emission{Kind: "stream", Lane: "a/b/c", Sequence: 1}
	r := CommandResult{ID: [16]byte{1}, Replayed: []bridge.Emission{emitted},
		Outcomes: []bridge.Outcome{{Number: 1, Problem: "p"}, {Number: 2, Emitted: &emitted}}}
	f.Add(r.append([]byte{rowVersion}))
	f.Fuzz(func(t *testing.T, value []byte) {
		r, err := readResult(value)
		if err != nil {
			return
		}
		again, err := readResult(r.append([]byte{rowVersion}))
		if err != nil || again.ID != r.ID || len(again.Outcomes) != len(r.Outcomes) ||
			fmt.Sprint(again.Replayed) != fmt.Sprint(r.Replayed) {
			t.Errorf("%+v became %+v, %v", r, again, err)
		}
	})
}
