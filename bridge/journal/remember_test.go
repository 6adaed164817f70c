package journal

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// told returns what a journal remembers, and what keeps it from that.
func told(t *testing.T, o Options) (m processor.Memory, err error) {
	t.Helper()
	j, err := OpenOffline(o, ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer closeJournal(t, j)
	pieces := processor.NewPacker([16]byte{}, func(piece *processor.Memory) error { m = *piece; return nil })
	return m, errors.Join(j.Memory(pieces.Add), pieces.Flush())
}

// TestRemember: a journal that remembers what another one did takes nothing twice that either has taken, continues
// sequences and sessions, keeps what is for review once, and remembers the same when it does so again.
func TestRemember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, other := memory(), memory()
		one.PublishQuarantine, other.PublishQuarantine = false, false
		at := bridge.MillisOf(one.Wall())
		j := open(t, one)
		add(t, j, push("a", at, bridge.PhasePublish), push("b", at, bridge.PhasePublish), push("b", at, bridge.PhaseDone),
			suspect("s", 1, bridge.ReasonExpired))
		drain(t, j, 3)
		closeJournal(t, j)
		memory, err := told(t, one)
		if err != nil || len(memory.Lanes) != 2 || len(memory.Identities) != 3 || len(memory.Signatures) != 3 ||
			len(memory.Quarantined) != 1 || memory.Floor == 0 {
			t.Fatalf("%+v, %v", memory, err)
		}
		closeJournal(t, open(t, other))
		for range 2 {
			offline, err := OpenOffline(other, ReadWrite)
			if err == nil {
				err = offline.Remember(&memory)
			}
			if err != nil {
				t.Fatal(err)
			}
			if broken := audit(offline); len(broken) > 0 {
				t.Error(broken)
			}
			closeJournal(t, offline)
			memory.ID = bridge.ID{} // the same in another piece
		}
		j = open(t, other)
		add(t, j, push("a", at, bridge.PhasePublish), push("b", at, bridge.PhaseDone), push("a", at, bridge.PhaseDone),
			push("b", at+1, bridge.PhasePublish), suspect("s", 1, bridge.ReasonExpired))
		if got := fmt.Sprint(drain(t, j, 2)); got != fmt.Sprint([]string{"a 2 publish_done ", "b 3 publish "}) {
			t.Errorf("after the change %v", got)
		}
		if n := len(list(t, j, bridge.QuarantineQueue, bridge.Query{})); n != 1 {
			t.Errorf("%d entries are for review", n)
		}
		closeJournal(t, j)
	})
}

// TestHeldIsNotRemembered: what a lane holds would be lost.
func TestHeldIsNotRemembered(t *testing.T) {
	t.Parallel()
	o := memory()
	j := open(t, o)
	add(t, j, push("a", 9e11, bridge.PhaseDone))
	closeJournal(t, j)
	if m, err := told(t, o); err == nil {
		t.Errorf("it remembers %+v", m)
	}
}

// TestNewLaneBehindEveryFloor: a lane that neither of two journals knows begins behind what either has forgotten.
func TestNewLaneBehindEveryFloor(t *testing.T) {
	t.Parallel()
	o := memory()
	closeJournal(t, open(t, o))
	offline, err := OpenOffline(o, ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	high := processor.FirstFloor(bridge.MillisOf(o.Wall())) + 9_000_000
	if err := offline.Remember(&processor.Memory{ID: bridge.ID{1}, Floor: high}); err != nil {
		t.Fatal(err)
	}
	closeJournal(t, offline)
	j := open(t, o)
	defer closeJournal(t, j)
	add(t, j, push("a", 9e11, bridge.PhasePublish))
	events, err := j.Outbox().Next(soon(t))
	if i := slices.IndexFunc(events, func(e *bridge.Event) bool { return e.Sequence == high+1 }); i < 0 || err != nil {
		t.Errorf("it begins with %d, want %d (%v)", events[0].Sequence, high+1, err)
	}
}
