package journal

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
	"livebridge/bridge/store"
)

// onDisk fails unless the outbox has so many intact event batches and so many events under their lanes.
func onDisk(t testing.TB, j *Journal, batches, spread int) {
	t.Helper()
	found, err := j.store.Tables()
	if p, o := int(found.EventBatches.Entries), int(found.Rows.Entries); err != nil || p != batches || o != spread {
		t.Fatalf("%d event batches and %d events under their lanes, want %d and %d: %v", p, o, batches, spread, err)
	}
}

// emitTogether has n lanes emit one event each in one commit: they hold a DONE until its time is over.
func emitTogether(t testing.TB, j *Journal, n int) {
	t.Helper()
	session := bridge.MillisOf(time.Now())
	for i := range n {
		add(t, j, push(fmt.Sprintf("s%d", i), session, bridge.PhaseDone))
	}
	time.Sleep(j.opts.Limits.HoldDone)
	synctest.Wait()
}

func trim(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.outbox.Trim(t.Context(), durable); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func TestBatchGoesWithItsLastEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := open(t, memory())
		defer closeJournal(t, j)
		emitTogether(t, j, 3)
		onDisk(t, j, 1, 0)
		drainSome(t, j, 2)
		trim(t, j)
		onDisk(t, j, 1, 0)
		if j.bytes() == 0 {
			t.Error("an event that waits takes no room")
		}
		time.Sleep(time.Second)
		drain(t, j, 1)
		trim(t, j)
		onDisk(t, j, 0, 0)
		if j.bytes() != 0 {
			t.Errorf("an empty outbox takes %d bytes", j.bytes())
		}
	})
}

// drainSome acknowledges n events of those that may go; the others are tried again after a second.
func drainSome(t testing.TB, j *Journal, n int) (last string) {
	t.Helper()
	events, err := j.outbox.Next(soon(t))
	if err != nil || len(events) < n {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for i, e := range events {
		if i < n {
			last = e.Lane.Stream
			j.outbox.Settle(e, bridge.Settlement{})
		} else {
			j.outbox.Settle(e, bridge.Settlement{Retry: time.Second})
		}
	}
	return last
}

func TestOldBatchesAreExpanded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		j := open(t, o)
		emitTogether(t, j, 5)
		drainSome(t, j, 2)
		trim(t, j)
		onDisk(t, j, 1, 0)
		time.Sleep(store.BatchAge + housekeepingInterval)
		synctest.Wait()
		onDisk(t, j, 0, 3)
		inOrder(t, drain(t, j, 3), 1)
		trim(t, j)
		onDisk(t, j, 0, 0)
		if j.bytes() != 0 {
			t.Errorf("an empty outbox takes %d bytes", j.bytes())
		}
		closeJournal(t, j)
		j = open(t, o)
		defer closeJournal(t, j)
		if j.outbox.Pending() != 0 {
			t.Errorf("%d events come out again", j.outbox.Pending())
		}
	})
}

// After a clean end nothing comes out twice; after a crash an event batch comes out whole.
func TestBatchesAfterARestart(t *testing.T) {
	for _, c := range []struct {
		name  string
		crash bool
		left  int
	}{{"clean", false, 3}, {"crash", true, 5}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := memory()
				j, disk := open(t, o), o.FS.(*vfs.MemFS)
				emitTogether(t, j, 5)
				drainSome(t, j, 2)
				trim(t, j)
				if c.crash {
					o.FS = disk.CrashClone(vfs.CrashCloneCfg{})
				}
				closeJournal(t, j)
				j = open(t, o)
				defer closeJournal(t, j)
				onDisk(t, j, 0, c.left)
				if j.outbox.Pending() != c.left {
					t.Errorf("%d events wait, want %d", j.outbox.Pending(), c.left)
				}
				inOrder(t, drain(t, j, c.left), 1)
				trim(t, j)
				onDisk(t, j, 0, 0)
			})
		})
	}
}

func TestDeadLetterOutOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := open(t, memory())
		defer closeJournal(t, j)
		emitTogether(t, j, 3)
		events, err := j.outbox.Next(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		j.outbox.Settle(events[0], bridge.Settlement{DeadLetter: "too large"})
		j.outbox.Settle(events[1], bridge.Settlement{})
		j.outbox.Settle(events[2], bridge.Settlement{Retry: time.Second})
		trim(t, j)
		trim(t, j)
		onDisk(t, j, 0, 1)
		if found, err := j.store.Tables(); err != nil || found.DeadLetters.Entries != 1 {
			t.Errorf("%+v, %v", found, err)
		}
		drain(t, j, 1)
		trim(t, j)
		onDisk(t, j, 0, 0)
	})
}

// What memory has no place for is written where it can be read again; so is all that follows until that has been read.
func TestBatchesOnlyWhileMemoryHasRoomForEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.OutboxMemory = 8
		j := open(t, o)
		defer closeJournal(t, j)
		add(t, j, many(3, 8)...)
		onDisk(t, j, 4, 20)
		inOrder(t, drain(t, j, 24), 1)
		nothing, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if events, err := j.outbox.Next(nothing); err == nil {
			t.Errorf("%v are left to read", events)
		}
		trim(t, j)
		onDisk(t, j, 0, 0)
		add(t, j, push("s000", bridge.MillisOf(time.Now())+60_000, bridge.PhasePublish))
		onDisk(t, j, 1, 0)
	})
}

func TestNoBatchBehindWhatIsOnDiskAlone(t *testing.T) {
	o := memory()
	j := open(t, o)
	add(t, j, many(3, 2)...)
	closeJournal(t, j)
	j = open(t, o)
	defer closeJournal(t, j)
	add(t, j, push("s000", bridge.MillisOf(time.Now())+60_000, bridge.PhasePublish))
	onDisk(t, j, 0, 7)
	inOrder(t, drain(t, j, 7), 1)
}

func TestDamagedBatchIsAnError(t *testing.T) {
	o := memory()
	j := open(t, o)
	add(t, j, many(1, 1)...)
	key := binary.BigEndian.AppendUint64([]byte{'p'}, j.store.Committed())
	closeJournal(t, j)
	damage(t, o, func(db *pebble.DB) error { return db.Set(key, []byte{3, 1, 2, 3}, pebble.Sync) })
	if j, err := Open(o); err == nil {
		closeJournal(t, j)
		t.Fatal("invalid bytes were read as an event batch")
	}
}

// What an event batch still has of a lane that has gone on since is at the broker: after a crash the lane goes on where
// it was.
func TestBatchBehindItsLane(t *testing.T) {
	for waiting := range 2 {
		t.Run(fmt.Sprint(waiting, " waiting"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := memory()
				j, disk := open(t, o), o.FS.(*vfs.MemFS)
				emitTogether(t, j, 2)
				stream, now := drainSome(t, j, 1), bridge.MillisOf(time.Now())
				next := func(n int) { add(t, j, push(stream, now+bridge.Millis(n/2), bridge.PhasePublish+bridge.Phase(n%2))) }
				next(0)
				drain(t, j, 1)
				trim(t, j)
				add(t, j, push("x", now, bridge.PhasePublish)) // what was trimmed is gone for good
				for n := range waiting {
					next(1 + n)
				}
				onDisk(t, j, 2+waiting, 0)
				o.FS = disk.CrashClone(vfs.CrashCloneCfg{})
				closeJournal(t, j)
				j = open(t, o)
				defer closeJournal(t, j)
				next(1 + waiting)
				onDisk(t, j, 0, 3+waiting)
				drain(t, j, 3+waiting)
			})
		})
	}
}

// A dead letter leaves the outbox behind what the broker may not have on disk yet: a lane on disk has no gap.
func TestDeadLetterBehindWhatIsNotDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		j, disk := open(t, o), o.FS.(*vfs.MemFS)
		add(t, j, many(1, 3)...)
		drain(t, j, 1) // the broker may still lose it
		events, err := j.outbox.Next(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		j.outbox.Settle(events[0], bridge.Settlement{DeadLetter: "too large"})
		synctest.Wait()
		add(t, j, push("x", 1, bridge.PhasePublish))
		o.FS = disk.CrashClone(vfs.CrashCloneCfg{})
		closeJournal(t, j)
		j = open(t, o)
		defer closeJournal(t, j)
		inOrder(t, drain(t, j, 4), 1)
	})
}
