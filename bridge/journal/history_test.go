package journal

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"livebridge/bridge"
	"livebridge/bridge/store"
)

// keeping returns the options of a journal with a history.
func keeping() Options {
	o := memory()
	o.Keep = time.Hour
	return o
}

// states returns what the journal knows of a stream's events, in their order.
func states(t *testing.T, j *Journal, stream string) (all []string) {
	t.Helper()
	q := bridge.HistoryQuery{EventFilter: bridge.EventFilter{Kind: "stream", Lane: "push.example.com/live/" + stream}}
	for _, f := range historyOf(t, j, q) {
		all = append(all, fmt.Sprint(ordinal(f.Sequence), " kept"))
	}
	p, err := j.Unpublished(q)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Events {
		all = append(all, fmt.Sprint(ordinal(f.Sequence), " ", f.State))
	}
	slices.Sort(all)
	return all
}

// TestFates follows events from one place to the next.
func TestFates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := open(t, keeping())
		defer closeJournal(t, j)
		is := func(when, stream string, want ...string) {
			t.Helper()
			synctest.Wait()
			if got := states(t, j, stream); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
		}
		add(t, j, push("a", 9e11, bridge.PhasePublish), push("b", 9e11, bridge.PhaseDone))
		is("emitted", "a", "1 waiting")
		is("held", "b", "0 held")
		events, err := j.outbox.Next(soon(t))
		if err != nil || len(events) != 1 {
			t.Fatal(len(events), err)
		}
		is("under way", "a", "1 waiting")
		j.outbox.Settle(events[0], bridge.Settlement{})
		is("acknowledged", "a", "1 published")
		trim(t, j)
		is("trimmed", "a", "1 kept")
		add(t, j, push("a", 9e11, bridge.PhaseDone))
		settleNext(t, j, bridge.Settlement{DeadLetter: bridge.RejectionTooLarge, Detail: "2 MB"})
		is("refused", "a", "1 kept")
		if dead := list(t, j, bridge.DeadLetterQueue, bridge.Query{}); len(dead) != 1 {
			t.Errorf("%+v", dead)
		}
		time.Sleep(2 * time.Hour)
		is("old", "a")
	})
}

// TestRefusedEventIsNotPublished: an event that has become a dead letter, and stays in the outbox until it is trimmed,
// is no published event.
func TestRefusedEventIsNotPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := open(t, keeping())
		defer closeJournal(t, j)
		add(t, j, push("a", 9e11, bridge.PhasePublish))
		events, err := j.outbox.Next(soon(t))
		if err != nil || len(events) != 1 {
			t.Fatal(len(events), err)
		}
		j.outbox.Settle(events[0], bridge.Settlement{DeadLetter: bridge.RejectionRefused})
		synctest.Wait()
		if got := states(t, j, "a"); len(got) != 0 {
			t.Errorf("it is %q", got)
		}
	})
}

// TestHistoryIsOff: without JOURNAL_KEEP nothing is written, and nothing is allocated for it.
func TestHistoryIsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := open(t, memory())
		defer closeJournal(t, j)
		add(t, j, many(2, 4)...)
		drain(t, j, 8)
		trim(t, j)
		found, err := j.store.Tables()
		n := found.History.Entries + found.Segments.Entries + found.HistoryLanes.Entries + found.HistoryIDs.Entries
		if err != nil || n != 0 {
			t.Errorf("%+v, %v", found, err)
		}
		if i, err := j.Inspect(); err != nil || i.History != nil {
			t.Errorf("%+v, %v", i.History, err)
		}
		if j.publishedClock() != nil {
			t.Error("published events are kept")
		}
	})
}

// TestHistoryIsWrittenAtTheEnd: a journal that closes has kept all that was trimmed, in however many shares.
func TestHistoryIsWrittenAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 10
		o := keeping()
		j := open(t, o)
		for i := range n {
			a := push(fmt.Sprint("s", i), 9e11, bridge.PhasePublish)
			a.Event.Data = incompressible(i, 60<<10)
			add(t, j, a)
		}
		drain(t, j, n)
		if err := j.outbox.Trim(t.Context(), durable); err != nil {
			t.Fatal(err)
		}
		closeJournal(t, j)
		j = open(t, o)
		defer closeJournal(t, j)
		if kept := len(historyOf(t, j, bridge.HistoryQuery{Limit: 7})); kept != n || j.outbox.Pending() != 0 {
			t.Fatalf("%d are kept and %d wait", kept, j.outbox.Pending())
		}
	})
}

// leave has others fill the volume until so much is free.
func (v *volume) leave(t *testing.T, free uint64) {
	t.Helper()
	usage, err := v.GetDiskUsage("journal")
	if err != nil {
		t.Fatal(err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.size -= usage.AvailBytes - free
}

// TestHistoryGivesWay: on a disk that others fill up the history goes before a callback is refused, at first only as
// much of it as is needed, and the disk gets its room back.
func TestHistoryGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := keeping()
		o.MinFreeBytes, o.KeepBytes = 8<<20, 16<<20
		v := &volume{FS: o.FS, size: 128 << 20, allocated: make(map[string]int64)}
		o.FS = v
		j := open(t, o)
		defer closeJournal(t, j)
		const n = 100
		for i := range n {
			a := push(fmt.Sprint("s", i), 8e11, bridge.PhasePublish)
			a.Event.Data = incompressible(i, 96<<10)
			add(t, j, a)
		}
		drain(t, j, n)
		trim(t, j)
		time.Sleep(2 * time.Second)
		for _, c := range []struct{ free, least, most uint64 }{{22 << 20, 10, n - 10}, {6 << 20, 0, 0}} {
			v.leave(t, c.free)
			for range 60 {
				time.Sleep(measureInterval)
				synctest.Wait()
				if err := j.Ready(); err != nil {
					t.Fatalf("with %d bytes free: %v", c.free, err)
				}
			}
			if kept, _ := j.store.History(); kept.Entries < c.least || kept.Entries > c.most {
				t.Errorf("with %d bytes free %d are kept", c.free, kept.Entries)
			}
			if free := j.capacity.free.Load(); free < c.free+1<<20 {
				t.Errorf("the disk had %d bytes free, and has %d", c.free, free)
			}
		}
	})
}

// TestHistoryIsNoReasonToRefuse: while the history gives its room back, half of the disk's reserve is enough; without
// one it is not.
func TestHistoryIsNoReasonToRefuse(t *testing.T) {
	for name, keep := range map[string]time.Duration{"on": time.Hour, "off": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, free := memory(), &atomic.Uint64{}
				free.Store(2 * o.MinFreeBytes)
				o.FS, o.Keep = smallDisk{o.FS, free}, keep
				j := open(t, o)
				defer closeJournal(t, j)
				ready := func(when string, want bool) {
					t.Helper()
					synctest.Wait()
					if err := j.Ready(); (err == nil) != want {
						t.Errorf("%s: %v", when, err)
					}
				}
				add(t, j, push("a", 9e11, bridge.PhasePublish))
				drain(t, j, 1)
				trim(t, j)
				time.Sleep(2 * time.Second)
				free.Store(o.MinFreeBytes - 1)
				time.Sleep(measureInterval)
				ready("a callback comes when the disk is full", keep > 0)
				time.Sleep(2 * time.Second)
				synctest.Wait() // the writer is at rest
				if kept, _ := j.store.History(); kept.Entries != 0 {
					t.Errorf("%d are kept", kept.Entries)
				}
				time.Sleep(10 * time.Second)
				ready("nothing is left to give", false)
				free.Store(2 * o.MinFreeBytes)
				time.Sleep(2 * time.Second)
				ready("there is room", true)
			})
		})
	}
}

// TestHistoryMetrics: how much is kept, since when, and what was dropped why.
func TestHistoryMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := open(t, keeping())
		defer closeJournal(t, j)
		add(t, j, push("a", 9e11, bridge.PhasePublish))
		drain(t, j, 1)
		trim(t, j)
		oldest := float64(bridge.MillisOf(time.Now())) / 1000
		m := j.metrics
		if n, at := valueOf(t, m.historyEntries), valueOf(t, m.historyOldest); n != 1 || at != oldest ||
			valueOf(t, m.historyBytes) < 100 {
			t.Errorf("%v of %v, not %v", n, at, oldest)
		}
		i, err := j.Inspect()
		if err != nil || i.History == nil || i.History.Entries != 1 || i.History.Keep != "1h0m0s" ||
			i.History.Oldest != bridge.MillisOf(time.Now()).String() {
			t.Errorf("%+v, %v", i.History, err)
		}
		m.dropped(store.HistoryDrop{Sized: 2, Disk: 3})
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		for reason, want := range map[string]float64{droppedAge: 1, droppedBytes: 2, droppedDisk: 3} {
			if got := valueOf(t, m.historyDropped.WithLabelValues(reason)); got != want {
				t.Errorf("%v are dropped of %s", got, reason)
			}
		}
		if n, at := valueOf(t, m.historyEntries), valueOf(t, m.historyOldest); n != 0 || at != 0 {
			t.Errorf("%v of %v", n, at)
		}
	})
}

// valueOf returns the value of a metric.
func valueOf(t *testing.T, m prometheus.Metric) float64 {
	t.Helper()
	var v dto.Metric
	if err := m.Write(&v); err != nil {
		t.Fatal(err)
	}
	return v.GetGauge().GetValue() + v.GetCounter().GetValue()
}
