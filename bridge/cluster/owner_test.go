package cluster

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/cluster/clustertest"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
)

// run has the active replica work until it has nothing to do, or its ownership ends.
func (w *world) run() {
	for w.active.start(); w.active.request != nil && !w.active.rests(); {
		w.active.step(clustertest.Proceed)
	}
}

// TestLimitsWithoutAnEnd: what is held in all stays within its limit although the intake is never read to its end.
func TestLimitsWithoutAnEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &script{})
	defer w.stop()
	for i := range 40 {
		w.append(callbackRecord(processortest.Push(fmt.Sprint("s", i), session, bridge.PhaseDone)))
		if i == 19 { // by the others' time the holds of these are over
			w.pass(11 * time.Second)
		}
	}
	most := uint64(0)
	w.active.cluster.opts.Committed = func(_ int, eff *processor.Effects) {
		most = max(most, eff.Counters.Held.Entries)
	}
	w.run()
	if limit := uint64(limits().HeldMax); most != limit {
		t.Errorf("%d events were held, %d is the limit", most, limit)
	}
	forced := 0
	for _, e := range w.broker.Output(0) {
		if e.Marks.Has(bridge.MarkForced) {
			forced++
		}
	}
	if want := 40 - limits().HeldMax; forced != want {
		t.Errorf("%d events are forced, want %d", forced, want)
	}
}

// TestUnreadableRecord: what nobody of ours has written into the intake holds nothing up, and is counted.
func TestUnreadableRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &script{})
	defer w.stop()
	w.append([]byte{byte(processor.Reject), 1, 2})
	w.append(callbackRecord(processortest.Push("a", session, bridge.PhasePublish)))
	w.run()
	if n := len(w.broker.Output(0)); n != 1 || w.active.cluster.Stats()[0].Unreadable != 1 {
		t.Errorf("%d events are out; %+v", n, w.active.cluster.Stats()[0])
	}
}

// TestRecordOfANewerVersion: what a newer version may have acknowledged is not left out: the partition waits for one.
func TestRecordOfANewerVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &script{})
	defer w.stop()
	w.append(callbackRecord(processortest.Push("a", session, bridge.PhasePublish)))
	w.append([]byte{0x90, 1})
	w.run()
	if !errors.Is(w.active.err, errIntakeVersion) || w.broker.Next(0) > 1 {
		t.Errorf("it ends by %v, and the intake goes on at %d", w.active.err, w.broker.Next(0))
	}
}

// TestIntakeMadeAnew: a state that has more of the intake than there is is not worked on.
func TestIntakeMadeAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &script{})
	defer w.stop()
	w.append(callbackRecord(processortest.Push("a", session, bridge.PhasePublish)))
	w.run()
	w.active.stop()
	o := &owner{opts: &w.active.cluster.opts}
	o.batch.next = 7
	if err := o.add(&bridge.IntakeRecord{Position: 6}); err == nil {
		t.Error("a record before the state's position is taken")
	}
}

// TestHousekeeping: what has had its time is forgotten while nothing comes, and the state gets smaller.
func TestHousekeeping(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &script{})
	defer w.stop()
	for i := range 30 {
		w.append(callbackRecord(processortest.Push(fmt.Sprint("s", i), session, bridge.PhasePublish)))
	}
	w.run()
	for range 3 {
		w.pass(31 * 24 * time.Hour)
		w.active.idle = 0
		for !w.active.rests() {
			w.active.step(clustertest.Proceed)
		}
	}
	w.broker.Compact(0, 0)
	if rows := w.broker.Rows(0); rows != 1 {
		t.Errorf("%d rows are left, want the state's own", rows)
	}
}

// TestStateGone: where the state cannot be told any more from where a cache is, it is restored as a whole.
func TestStateGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &script{})
	defer w.stop()
	for i := range 3 {
		w.append(callbackRecord(processortest.Push(fmt.Sprint("s", i), session, bridge.PhasePublish)))
		w.run()
		w.active.stop()
		w.active = w.other()
	}
	w.broker.Compact(0, 0)
	w.append(callbackRecord(processortest.Push("s0", session, bridge.PhasePublish))) // a repeat
	w.append(callbackRecord(processortest.Push("s1", session, bridge.PhaseDone)))
	w.run()
	if err := w.active.err; err != nil {
		t.Fatal(err)
	}
	if n := len(w.broker.Output(0)); n != 4 {
		t.Errorf("%d events are out, want 4", n)
	}
}
