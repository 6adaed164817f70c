package journal

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"livebridge/bridge"
)

// createdAt returns the options of a journal on an empty disk whose wall clock stands still.
func createdAt(at time.Time) Options {
	o := memory()
	o.Wall = func() time.Time { return at }
	o.Limits.HoldNext = 0
	return o
}

// sequences sends callbacks and returns the sequences that they come out with.
func sequences(t *testing.T, j *Journal, arrivals ...*bridge.Arrival) (out []uint64) {
	t.Helper()
	add(t, j, arrivals...)
	for range arrivals {
		events, err := j.outbox.Next(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			out = append(out, e.Sequence)
			j.outbox.Settle(e, bridge.Settlement{})
		}
	}
	return out
}

// oneOfEachLane returns a callback of stream status, a recording, and one for the quarantine, which has lanes of its
// own.
func oneOfEachLane(stream string) []*bridge.Arrival {
	record, odd := push(stream, 1e12, bridge.PhaseNone), push(stream+"odd", 1e12, bridge.PhasePublish)
	record.Event.Lane.Kind, record.Event.ID[0] = bridge.KindRecord, record.Event.ID[0]+1
	record.Signature.Sum[0]++
	odd.Reason = bridge.ReasonTampered
	return []*bridge.Arrival{push(stream, 1e12, bridge.PhasePublish), record, odd}
}

var created = time.Date(2026, 10, 12, 8, 0, 0, 123_456_789, time.UTC)

// TestLanesBeginBehindTheCreation: the first sequence of every lane, of whatever kind, names the instant at which the
// journal was created, also after a restart at another time; within the lane it rises by 1.
func TestLanesBeginBehindTheCreation(t *testing.T) {
	o := createdAt(created)
	j := open(t, o)
	first := uint64(created.UnixMilli())*1000 + 1
	for i, a := range oneOfEachLane("a") {
		if got := sequences(t, j, a); got[0] != first {
			t.Errorf("lane %d begins with %d, want %d", i, got[0], first)
		}
	}
	if err := j.outbox.Trim(t.Context(), durable); err != nil {
		t.Fatal(err)
	}
	closeJournal(t, j)
	o.Wall = func() time.Time { return created.Add(time.Hour) }
	j = open(t, o)
	defer closeJournal(t, j)
	if got := sequences(t, j, push("a", 1e12, bridge.PhaseDone)); got[0] != first+1 {
		t.Errorf("a lane goes on with %d, want %d", got[0], first+1)
	}
	if got := sequences(t, j, push("new", 1e12, bridge.PhasePublish)); got[0] != first {
		t.Errorf("a new lane begins with %d, want %d", got[0], first)
	}
}

// TestSequencesRiseThoughDataDirIsLost: on another disk, a second later, every lane goes on above all that it had.
func TestSequencesRiseThoughDataDirIsLost(t *testing.T) {
	last := map[int]uint64{}
	for life := range 3 {
		j := open(t, createdAt(created.Add(time.Duration(life)*time.Second)))
		for round := range 20 {
			for i, a := range oneOfEachLane("a") {
				a.Event.ID[1], a.Signature.Sum[1] = byte(round), byte(round)
				a.Event.Session += bridge.Millis(round)
				got := sequences(t, j, a)
				if got[0] <= last[i] || round > 0 && got[0] != last[i]+1 {
					t.Fatalf("life %d, lane %d: %d after %d", life, i, got[0], last[i])
				}
				last[i] = got[0]
			}
		}
		closeJournal(t, j)
	}
}

// TestAnyClockCreatesAJournal: a clock before 1970 gives the smallest sequences and one far ahead great ones that still
// rise.
func TestAnyClockCreatesAJournal(t *testing.T) {
	for name, c := range map[string]struct {
		wall  time.Time
		first uint64
	}{
		"1969":      {time.Date(1969, 7, 20, 0, 0, 0, 0, time.UTC), 1},
		"1970":      {time.Unix(0, 0), 1},
		"year 1":    {time.Time{}, 1},
		"2254":      {time.Date(2254, 1, 1, 0, 0, 0, 0, time.UTC), 8_962_185_600_000_001},
		"endless":   {time.Unix(1<<50, 0), 253_402_300_799_999_001},
		"year 9999": {time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC), 253_402_300_799_999_001},
	} {
		t.Run(name, func(t *testing.T) {
			o := createdAt(c.wall)
			closeJournal(t, open(t, o))
			o.Wall = time.Now
			j := open(t, o)
			defer closeJournal(t, j)
			got := sequences(t, j, push("a", 1e12, bridge.PhasePublish), push("a", 1e12, bridge.PhaseDone))
			if got[0] != c.first || got[1] != c.first+1 {
				t.Errorf("got %d, want %d and the next", got, c.first)
			}
		})
	}
}

// TestOldJournalKeepsItsSequences: one whose lanes began at 1 goes on so, with lanes that are new too.
func TestOldJournalKeepsItsSequences(t *testing.T) {
	o := createdAt(time.Unix(0, 0))
	closeJournal(t, open(t, o))
	o.Wall = time.Now
	j := open(t, o)
	sequences(t, j, push("a", 1e12, bridge.PhasePublish), push("a", 1e12, bridge.PhaseDone))
	if err := j.outbox.Trim(t.Context(), durable); err != nil {
		t.Fatal(err)
	}
	closeJournal(t, j)
	j = open(t, o)
	defer closeJournal(t, j)
	if got := sequences(t, j, push("a", 1e12+1, bridge.PhasePublish)); got[0] != 3 {
		t.Errorf("the lane goes on with %d", got[0])
	}
	if got := sequences(t, j, push("new", 1e12, bridge.PhasePublish)); got[0] != 1 {
		t.Errorf("a new lane begins with %d", got[0])
	}
}

// TestInterruptedCreation cuts the power before each operation of a journal's creation, and right behind it: the next
// start creates it or finds it, and its lanes begin at one creation or the other.
func TestInterruptedCreation(t *testing.T) {
	t.Parallel()
	create := func(p *powered) {
		o := createdAt(created)
		o.FS = errorfs.Wrap(p.disk, p)
		closeJournal(t, open(t, o))
	}
	whole := &powered{disk: vfs.NewCrashableMem(), after: -1}
	create(whole)
	again := created.Add(time.Minute)
	begins := map[uint64]int{}
	for after := int64(1); after <= whole.count.Load(); after++ {
		for _, share := range []int{0, 50, 100} {
			p := &powered{
				disk:   vfs.NewCrashableMem(),
				after:  after,
				share:  share,
				random: rand.New(rand.NewPCG(uint64(after), 0)),
			}
			create(p)
			if p.left.Load() == nil {
				continue
			}
			o := createdAt(again)
			o.FS = p.left.Load()
			j := open(t, o)
			begins[sequences(t, j, push("a", 1e12, bridge.PhasePublish))[0]]++
			closeJournal(t, j)
		}
	}
	for first := range begins {
		if first != uint64(created.UnixMilli())*1000+1 && first != uint64(again.UnixMilli())*1000+1 {
			t.Errorf("a lane begins with %d", first)
		}
	}
	if len(begins) != 2 {
		t.Errorf("creations: %v", begins)
	}
}

// TestOperatorOfAnInterruptedCreation: what has no version yet is no journal to an operator.
func TestOperatorOfAnInterruptedCreation(t *testing.T) {
	o := memory()
	if err := o.FS.MkdirAll(o.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	damage(t, o, func(*pebble.DB) error { return nil }) // it is created, and nothing more
	for _, mode := range []Mode{ReadOnly, ReadWrite} {
		if _, err := OpenOffline(o, mode); !errors.Is(err, ErrNoJournal) || !strings.Contains(err.Error(), "interrupted") {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
}
