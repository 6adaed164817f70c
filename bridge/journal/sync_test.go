package journal

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// slowSync is how long a slow disk takes for a sync of the log.
const slowSync = 3 * time.Second

// slowDisk wraps a disk so that syncs of the log take their time while slow is set. It is for virtual time.
func slowDisk(disk vfs.FS, slow *atomic.Bool) vfs.FS {
	return errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if slow.Load() && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData) &&
			strings.HasSuffix(op.Path, ".log") {
			time.Sleep(slowSync)
		}
		return nil
	}))
}

// slowly runs f with a journal whose next syncs are slow once slow is set.
func slowly(t *testing.T, change func(*Options), f func(t *testing.T, j *Journal, slow *atomic.Bool)) {
	synctest.Test(t, func(t *testing.T) {
		slow := &atomic.Bool{}
		o := memory()
		o.FS = slowDisk(o.FS, slow)
		change(&o)
		j := open(t, o)
		f(t, j, slow)
		slow.Store(false)
		closeJournal(t, j)
	})
}

// TestNothingBeforeTheSync: what is answered and what is published is on disk.
func TestNothingBeforeTheSync(t *testing.T) {
	slowly(t, func(*Options) {}, func(t *testing.T, j *Journal, slow *atomic.Bool) {
		slow.Store(true)
		begun := time.Now()
		var publishing sync.WaitGroup
		publishing.Go(func() {
			if drain(t, j, 1); time.Since(begun) < slowSync {
				t.Errorf("the event is published after %v", time.Since(begun))
			}
		})
		if add(t, j, push("a", 1e12, bridge.PhasePublish)); time.Since(begun) < slowSync {
			t.Errorf("the callback is answered after %v", time.Since(begun))
		}
		publishing.Wait()
	})
}

// TestRepeatWaitsForWhatItRepeats: the 200 for a repeat says that the first is on disk, so it waits for that.
func TestRepeatWaitsForWhatItRepeats(t *testing.T) {
	slowly(t, func(*Options) {}, func(t *testing.T, j *Journal, slow *atomic.Bool) {
		slow.Store(true)
		begun := time.Now()
		var first sync.WaitGroup
		first.Go(func() { add(t, j, push("a", 1e12, bridge.PhasePublish)) })
		time.Sleep(time.Second) // it is written, and its sync under way
		add(t, j, push("a", 1e12, bridge.PhasePublish))
		if waited := time.Since(begun); waited < slowSync {
			t.Errorf("the repeat is answered after %v", waited)
		}
		first.Wait()
	})
}

// TestBacklogHasNothingUnsynced: Pebble shows what is not synced yet; the outbox, which reads it there, does not.
func TestBacklogHasNothingUnsynced(t *testing.T) {
	slowly(t, func(o *Options) { o.OutboxMemory = 2 }, func(t *testing.T, j *Journal, slow *atomic.Bool) {
		add(t, j, many(3, 4)...)
		slow.Store(true)
		var late sync.WaitGroup
		late.Go(func() { add(t, j, push("s000", bridge.MillisOf(time.Now())+60_000, bridge.PhasePublish)) })
		synctest.Wait() // it is written, behind events that are read from there
		ctx, cancel := context.WithTimeout(t.Context(), slowSync-time.Second)
		defer cancel()
		for {
			events, err := j.outbox.Next(ctx)
			if err != nil {
				break
			}
			for _, e := range events {
				if e.Lane.Stream == "s000" && ordinal(e.Sequence) > 4 {
					t.Fatal("an event is handed on before its sync")
				}
				j.outbox.Settle(e, bridge.Settlement{})
			}
		}
		late.Wait()
		drain(t, j, j.outbox.Pending())
	})
}

// TestDeadLetterWaitsForItsSync: the lane of a dead letter goes on when that is on disk; before, a loss of power would
// have it tried again, behind what came after it.
func TestDeadLetterWaitsForItsSync(t *testing.T) {
	slowly(t, func(*Options) {}, func(t *testing.T, j *Journal, slow *atomic.Bool) {
		add(t, j, many(1, 2)...)
		events, err := j.outbox.Next(soon(t))
		if err != nil || len(events) != 1 {
			t.Fatal(events, err)
		}
		slow.Store(true)
		begun := time.Now()
		j.outbox.Settle(events[0], bridge.Settlement{DeadLetter: "too large"})
		if got := drain(t, j, 1); time.Since(begun) < slowSync {
			t.Errorf("%q came %v after the dead letter, and its sync took %v", got, time.Since(begun), slowSync)
		}
	})
}

// TestTrimCoversWhatCameBefore: what is acknowledged while the broker makes durable what came before is not covered by
// that.
func TestTrimCoversWhatCameBefore(t *testing.T) {
	o := memory()
	j := open(t, o)
	add(t, j, many(1, 2)...)
	drain(t, j, 1)
	err := j.outbox.Trim(t.Context(), func(context.Context) error {
		drain(t, j, 1)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	closeJournal(t, j)
	j = open(t, o)
	defer closeJournal(t, j)
	if got := drain(t, j, j.outbox.Pending()); len(got) != 1 || !strings.HasPrefix(got[0], "s000 2 ") {
		t.Errorf("after the restart %q come again", got)
	}
}

// TestLaneWithEventsIsNotForgotten: a lane is not idle while something of it waits in the outbox.
func TestLaneWithEventsIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		j := open(t, o)
		a := push("closed", bridge.MillisOf(time.Now()), bridge.PhasePublish)
		add(t, j, a, push("closed", a.Event.Session, bridge.PhaseDone))
		closeJournal(t, j)
		makeOlder(t, o, processor.ForgetClosed+time.Minute)
		j = open(t, o)
		defer closeJournal(t, j)
		time.Sleep(3 * housekeepingInterval)
		synctest.Wait()
		if _, found, err := j.store.Lane(a.Event.Lane, processor.Moment{}); !found || err != nil {
			t.Errorf("the lane is there: %v, %v", found, err)
		}
	})
}

// TestOneCommitKnowsItself: what is in a commit that is still filling is known to those that come into the same one.
func TestOneCommitKnowsItself(t *testing.T) {
	change := func(o *Options) { o.PublishQuarantine = false }
	slowly(t, change, func(t *testing.T, j *Journal, slow *atomic.Bool) {
		slow.Store(true)
		var work sync.WaitGroup
		for _, a := range []*bridge.Arrival{
			push("x", 1e12, bridge.PhasePublish), push("y", 1e12, bridge.PhasePublish), // two commits are under way
			signed(push("a", 1e12, bridge.PhasePublish), 1, 1), signed(push("a", 1e12, bridge.PhasePublish), 1, 1),
			signed(push("b", 1e12, bridge.PhasePublish), 1, 2), // another under the same signature
		} {
			work.Go(func() { add(t, j, a) })
			synctest.Wait()
		}
		work.Wait()
		if n := j.outbox.Pending(); n != 3 || j.processor.Counters().Quarantine.Entries != 1 {
			t.Errorf("%d events, %d in quarantine; want 3 and 1", n, j.processor.Counters().Quarantine.Entries)
		}
	})
}

// TestSignatureIsKnownUntilItExpires: up to its last second.
func TestSignatureIsKnownUntilItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.PublishQuarantine = false
		j := open(t, o)
		defer closeJournal(t, j)
		const valid = 25 * time.Minute
		expires := bridge.MillisOf(time.Now().Add(valid))
		for n := range 2 {
			a := push("a", bridge.Millis(9e11+n), bridge.PhasePublish)
			a.Signature = bridge.Signature{Sum: [16]byte{7}, Signed: [16]byte{byte(n)}, Expires: expires}
			add(t, j, a)
			time.Sleep(valid - time.Second)
		}
		if j.processor.Counters().Quarantine.Entries != 1 {
			t.Errorf("%d in quarantine, want 1", j.processor.Counters().Quarantine.Entries)
		}
	})
}

// TestFullOfHeld: what is held takes room too.
func TestFullOfHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.MaxBytes = 2000
		j := open(t, o)
		defer closeJournal(t, j)
		for n := range 100 {
			if j.Ready() != nil {
				return
			}
			add(t, j, push(string(rune('a'+n)), 9e11, bridge.PhaseDone))
		}
		t.Error("a hundred events are held in 2,000 bytes")
	})
}

// TestBucketsGoOneByOne: when the oldest part of what was seen is dropped, the next one is known as ever.
func TestBucketsGoOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.DedupeWindow = time.Hour
		j := open(t, o)
		defer closeJournal(t, j)
		for _, step := range []struct {
			wait   time.Duration
			stream string
		}{{0, "a"}, {15 * time.Minute, "b"}, {50 * time.Minute, "b"}} {
			time.Sleep(step.wait)
			add(t, j, push(step.stream, 9e11, bridge.PhasePublish))
		}
		if len(j.processor.Counters().Buckets) != 1 || j.outbox.Pending() != 2 {
			t.Errorf("%d buckets, %d events; want 1 and 2", len(j.processor.Counters().Buckets), j.outbox.Pending())
		}
	})
}
