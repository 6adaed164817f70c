package journal

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

// readOn has the outbox read until there is nothing to read, and returns how many reads that took.
func readOn(t *testing.T, o *outbox) (reads int) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for ; o.wantsLoading(); reads++ {
		if err := o.loadPage(); err != nil {
			t.Fatal(err)
		}
	}
	return reads
}

// loadNext has the outbox read until there is something to hand out, or nothing to find.
func loadNext(o *outbox) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.ready.empty() && o.wantsLoading() {
		if err := o.loadPage(); err != nil {
			return err
		}
	}
	return nil
}

// backlogOf opens a journal that has n events of each of some lanes on disk alone.
func backlogOf(t *testing.T, lanes, n int) *Journal {
	t.Helper()
	o := memory()
	j := open(t, o)
	add(t, j, many(lanes, n)...)
	closeJournal(t, j)
	j = open(t, o)
	t.Cleanup(func() { closeJournal(t, j) })
	return j
}

// TestLanesAreReadInParts: a lane of which memory has a part is read again when most of that is gone, not for every
// event.
func TestLanesAreReadInParts(t *testing.T) {
	const lanes, each = 3, 1000
	j := backlogOf(t, lanes, each)
	reads := 0
	for n := 0; n < lanes*each; {
		reads += readOn(t, j.outbox)
		for _, l := range j.outbox.lanes {
			if j.outbox.spilled && len(l.events) > mostShare {
				t.Fatalf("memory has %d events of %v", len(l.events), l.lane)
			}
		}
		events, _ := j.outbox.next()
		for _, e := range events {
			j.Settle(e, bridge.Settlement{})
		}
		n += len(events)
	}
	if most := 2 * lanes * each / mostShare; reads > most {
		t.Errorf("%d reads, %d at the most", reads, most)
	}
}

// scanOnce reads one page of the scan. Meanwhile something happens, which the page does not show.
func scanOnce(t *testing.T, o *outbox, meanwhile func()) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	p := o.newPage()
	err := o.unlocked(func() error {
		return p.scan(o.scanCursor, func(lane bridge.Lane) (uint64, int) {
			meanwhile()
			meanwhile = func() {}
			return o.scanWants(lane)
		})
	})
	if o.scanAdvanced(p); err != nil {
		t.Fatal(err)
	}
}

// TestScanFindsWhatComesMeanwhile: an event that came to lie on disk alone while the scan goes on is read in its turn:
// behind the place where that is, before it, right there, or while a page was read; of a lane that has others on disk,
// or none.
func TestScanFindsWhatComesMeanwhile(t *testing.T) {
	const lanes, each = 600, 2
	for _, c := range []struct {
		name                  string
		between, during, then string // streams of which an event comes between two pages, during the second, after that
	}{
		{"before", "a", "", ""},
		{"behind", "z", "", ""},
		{"behind, known", "s599", "", ""},
		{"where the survey is", "s256", "", ""},
		{"where the survey is, and again", "s256", "", "s256"},
		{"during a read", "", "s256a", ""},
		{"during a read, known", "", "s257", ""},
		{"during a read, far behind", "", "z", ""},
		{"during a read, and again", "", "s256a", "s256a"},
		{"during a read, and later before", "", "s256a", "s0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := backlogOf(t, lanes, each)
				n := lanes * each
				come := func(stream string) {
					if stream != "" {
						n++
						add(t, j, push(stream, 9e11, bridge.PhasePublish+bridge.Phase((n+1)%2)))
					}
				}
				scanOnce(t, j.outbox, func() {})
				if want := outboxKey(nil, push("s256", 0, bridge.PhasePublish).Event.Lane, j.meta.floor+1); !bytes.Equal(j.outbox.scanCursor, want) {
					t.Fatalf("the survey is at %q", j.outbox.scanCursor)
				}
				come(c.between)
				scanOnce(t, j.outbox, func() { come(c.during) })
				come(c.then)
				inOrder(t, drain(t, j, n), 1)
			})
		})
	}
}

// TestScanUnderLoad: callbacks of all lanes come while what the last run has left is looked for, again and again, with
// a memory that is too small: all come out in their order.
func TestScanUnderLoad(t *testing.T) {
	const lanes, rounds = 300, 20
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		var got []string
		all := many(lanes, 2*rounds)
		for round := range rounds {
			o.OutboxMemory = []int{150, 1500}[round%2]
			j := open(t, o)
			got = append(got, drainUnderLoad(t, j, lanes, all[round*lanes*2:][:lanes*2])...)
			closeJournal(t, j)
		}
		j := open(t, o)
		inOrder(t, append(got, drain(t, j, len(all)-len(got))...), 1)
		closeJournal(t, j)
	})
}

// drainUnderLoad acknowledges n events while others come from four sides, and returns when all have come.
func drainUnderLoad(t *testing.T, j *Journal, n int, arrivals []*bridge.Arrival) []string {
	t.Helper()
	var sending sync.WaitGroup
	defer sending.Wait()
	for side := range 4 {
		sending.Go(func() {
			for i := side; i < len(arrivals); i += 4 {
				if err := j.Append(t.Context(), arrivals[i]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	got := drain(t, j, n)
	if err := j.Trim(t.Context(), durable); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestLanesOnDiskTakeNoMemory: however many lanes have something on disk alone, so many of them and no more are known.
func TestLanesOnDiskTakeNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lanes, limit = 1000, 20
		o := memory()
		o.OutboxMemory = limit
		j := open(t, o)
		defer closeJournal(t, j)
		add(t, j, many(lanes, 2)...)
		if known := len(j.outbox.lanes); known != limit {
			t.Errorf("%d lanes are known", known)
		}
		inOrder(t, drain(t, j, 2*lanes), 1)
	})
}

// TestGapInTheBacklog: a lane of which the disk has lost an event ends the program, whether the lane is known or not.
func TestGapInTheBacklog(t *testing.T) {
	for _, missing := range []uint64{2, leastShare + 1, leastShare + 3} {
		t.Run(fmt.Sprint(missing), func(t *testing.T) {
			o := memory()
			j := open(t, o)
			all := many(1, 2*leastShare)
			add(t, j, all...)
			closeJournal(t, j)
			j = open(t, o)
			if err := j.db.SingleDelete(outboxKey(nil, all[0].Event.Lane, j.meta.floor+missing), nil); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := untilFailed(t, j)
			defer cancel()
			for {
				events, err := j.Next(ctx)
				if err != nil {
					break
				}
				for _, e := range events {
					j.Settle(e, bridge.Settlement{})
				}
			}
			if err := j.Close(); err == nil || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("the journal ends with %v", err)
			}
		})
	}
}

// TestRemovedTogether: events that follow one another in their lane are removed as a range, which ends with the last of
// them.
func TestRemovedTogether(t *testing.T) {
	for _, n := range []int{1, rangeLeast - 1, rangeLeast, 2 * rangeLeast} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			const lane = 3 * rangeLeast // events of each
			o := memory()
			j := open(t, o)
			add(t, j, many(2, lane)...)
			closeJournal(t, j)
			j = open(t, o) // in table o by now
			inOrder(t, drain(t, j, 2*n), 1)
			if err := j.Trim(t.Context(), durable); err != nil {
				t.Fatal(err)
			}
			closeJournal(t, j)
			j = open(t, o)
			defer closeJournal(t, j)
			left := 0
			if err := each(j.db, tableOutbox, func(_, _ []byte) error { left++; return nil }); err != nil || left != 2*(lane-n) {
				t.Fatalf("the disk has %d events, want %d: %v", left, 2*(lane-n), err)
			}
			inOrder(t, drain(t, j, 2*(lane-n)), n+1)
		})
	}
}

// TestRemovedAroundAParcel: events under their lane are removed one by one where the one between them lies in an event
// batch.
func TestRemovedAroundAParcel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.OutboxMemory = 4 // half of it for event batches
		j := open(t, o)
		defer closeJournal(t, j)
		arrivals := many(1, 3)
		add(t, j, arrivals[0])
		time.Sleep(2 * batchAge)
		add(t, j, arrivals[1]) // moves the first one under its lane
		onDisk(t, j, 1, 1)
		add(t, j, arrivals[2]) // for which memory has no place
		onDisk(t, j, 1, 2)
		inOrder(t, drain(t, j, 3), 1)
		trim(t, j)
		onDisk(t, j, 0, 0)
	})
}
