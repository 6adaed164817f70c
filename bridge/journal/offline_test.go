package journal

import (
	"errors"
	"livebridge/bridge"
	"livebridge/bridge/store"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestOffline: without the service an operator sees and moves the same, holds stay, and nothing happens that was not
// asked for.
func TestOffline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.PublishQuarantine, o.Limits.HoldNext, o.Limits.HoldDone = false, 50*time.Millisecond, 50*time.Millisecond
		if _, err := OpenOffline(o, ReadOnly); !errors.Is(err, ErrNoJournal) {
			t.Fatalf("without a journal: %v", err)
		}
		j := open(t, o)
		if _, err := OpenOffline(o, ReadOnly); !errors.Is(err, ErrInUse) {
			t.Errorf("beside the service: %v", err)
		}
		add(
			t,
			j,
			push("a", 9e11, bridge.PhasePublish),
			doubtful("b", 9e11, bridge.ReasonExpired),
			doubtful("c", 9e11, bridge.ReasonExpired),
		)
		add(t, j, push("d", 9e11, bridge.PhaseDone)) // held
		closeJournal(t, j)

		q, err := OpenOffline(o, ReadOnly)
		if err != nil {
			t.Fatal(err)
		}
		all := list(t, q, bridge.QuarantineQueue, bridge.Query{Raw: true})
		i, err := q.Inspect()
		if err != nil || len(all) != 2 || i.Quarantine.Entries != 2 || i.Reasons["expired"] != 2 || i.Outbox.Entries != 1 ||
			i.Held.Entries != 1 || i.LanesHeld != 1 || i.Lanes != 2 || i.Format != store.Format || i.Identities != 2 {
			t.Errorf("%d entries, %+v, %v", len(all), i, err)
		}
		closeJournal(t, q)

		if q, err = OpenOffline(o, ReadWrite); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * o.Limits.HoldDone) // nothing to wait for: a hold would have ended
		outcomes, err := q.Release(bridge.QuarantineQueue, []uint64{all[0].Number, all[0].Number})
		if got := done(t, outcomes, err); len(got) != 1 {
			t.Errorf("released: %+v", outcomes)
		}
		outcomes, err = q.Purge(bridge.QuarantineQueue, []uint64{all[0].Number, all[1].Number})
		if got := done(t, outcomes, err); !slices.Equal(got, []uint64{all[1].Number}) {
			t.Errorf("purged: %+v", outcomes)
		}
		if i, err := q.Inspect(); err != nil || i.Held.Entries != 1 || i.Outbox.Entries != 2 || i.Quarantine.Bytes != 0 {
			t.Errorf("%+v, %v", i, err)
		}
		closeJournal(t, q)

		j = open(t, o)
		defer closeJournal(t, j)
		got := drain(t, j, 3)
		slices.Sort(got)
		if want := []string{"a 1 publish ", "b 1 publish replayed", "d 1 publish_done start_unseen"}; !slices.Equal(
			got,
			want,
		) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// TestReplay replays what the outbox has, over more than one page, once: neither what comes meanwhile nor the replays
// themselves.
func TestReplay(t *testing.T) {
	j := open(t, memory())
	defer closeJournal(t, j)
	arrivals := many(bridge.PageMax/2+10, 2)
	add(t, j, arrivals...)
	replayed := 0
	for q := (bridge.ReplayQuery{}); ; {
		r, err := j.Replay(q)
		if err != nil {
			t.Fatal(err)
		}
		replayed += r.Replayed
		if q.Cursor, q.UpTo = r.Cursor, r.UpTo; q.Cursor == nil {
			break
		}
		add(t, j, push("zzz", 1e12, bridge.PhasePublish), push("zzz", 1e12, bridge.PhaseDone))
	}
	if replayed != len(arrivals) || j.outbox.Pending() != 2*len(arrivals)+2 {
		t.Errorf("%d of %d replayed, %d wait", replayed, len(arrivals), j.outbox.Pending())
	}
	lane := arrivals[0].Event.Lane
	r, err := j.Replay(bridge.ReplayQuery{Kind: "stream", Lane: lane.Subject()})
	if err != nil || r.Replayed != 2 || r.Cursor != nil {
		t.Errorf("of one lane: %+v, %v", r, err)
	}
	for i := range r.Emitted {
		r.Emitted[i].Sequence = ordinal(r.Emitted[i].Sequence)
	}
	want := []bridge.Emission{
		{Kind: "stream", Lane: lane.Subject(), Sequence: 5},
		{Kind: "stream", Lane: lane.Subject(), Sequence: 6},
	}
	if !slices.Equal(r.Emitted, want) {
		t.Errorf("emitted %+v, want %+v", r.Emitted, want)
	}
	for _, bad := range []bridge.ReplayQuery{{Kind: "stream"}, {Lane: "a/b/c"}, {Kind: "streams", Lane: "a/b/c"},
		{Kind: "stream", Lane: "a/b"}} {
		if _, err := j.Replay(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// TestReplayBesideCallbacks: a replay has all that was emitted up to the commit that it names, though event batches are
// written while it goes on.
func TestReplayBesideCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		stall := stalls(&o)
		j := open(t, o)
		defer closeJournal(t, j)
		add(t, j, many(2, 4)...)
		before, err := j.Inspect()
		if err != nil {
			t.Fatal(err)
		}
		last := before.Commit
		release := stall(j) // until both of the others wait
		var work sync.WaitGroup
		work.Go(func() {
			if r, err := j.Replay(bridge.ReplayQuery{}); err != nil || r.Replayed != 8 || r.UpTo != last {
				t.Errorf("%+v, %v: want the 8 events up to commit %d", r, err, last)
			}
		})
		synctest.Wait()
		work.Go(func() { add(t, j, push("late", 1e12, bridge.PhasePublish)) })
		synctest.Wait()
		release()
		work.Wait()
	})
}

// TestCommandsAfterTheEnd: a command is refused, and nothing hangs or panics, once the journal has closed.
func TestCommandsAfterTheEnd(t *testing.T) {
	j := open(t, memory())
	closeJournal(t, j)
	if _, err := j.Release(bridge.QuarantineQueue, []uint64{1}); !errors.Is(err, bridge.ErrStopping) {
		t.Errorf("Release: %v", err)
	}
	if _, err := j.List(bridge.QuarantineQueue, bridge.Query{}); !errors.Is(err, bridge.ErrStopping) {
		t.Errorf("List: %v", err)
	}
}
