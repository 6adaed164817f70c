package journal

import (
	"fmt"
	"testing"

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

// TestLanesAreReadInParts: a lane of which memory has a part is read again when most of that is gone, not for every event.
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

// TestSurveyFindsWhatComesMeanwhile: an event of a lane that is not known, which came to lie on disk behind the place where the
// survey is, before it, or while a page was read, is read in its turn.
func TestSurveyFindsWhatComesMeanwhile(t *testing.T) {
	for _, when := range []string{"before", "behind", "during a read"} {
		t.Run(when, func(t *testing.T) {
			const lanes, each = 2000, 1
			j := backlogOf(t, lanes, each)
			j.outbox.mu.Lock()
			if err := j.outbox.loadPage(); err != nil {
				t.Fatal(err)
			}
			if j.outbox.surveyed || j.outbox.cursor == nil {
				t.Fatal("one page has it all")
			}
			j.outbox.loading = when == "during a read"
			j.outbox.limit = 1 // memory is full
			j.outbox.mu.Unlock()
			stream := map[string]string{"before": "a", "behind": "z", "during a read": "z"}[when]
			add(t, j, push(stream, 9e11, bridge.PhasePublish))
			j.outbox.mu.Lock()
			again := j.outbox.again
			j.outbox.loading, j.outbox.limit = false, 100_000
			j.outbox.mu.Unlock()
			if again != (when == "during a read") {
				t.Errorf("the survey begins again: %v", again)
			}
			if got := drain(t, j, lanes*each+1); len(got) != lanes*each+1 {
				t.Errorf("%d events came out", len(got))
			}
		})
	}
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
			if err := j.db.SingleDelete(outboxKey(nil, all[0].Event.Lane, missing), nil); err != nil {
				t.Fatal(err)
			}
			err := j.outbox.load()
			for n := 0; err == nil && n < 2*leastShare; n++ {
				var events []*bridge.Event
				if events, _ = j.outbox.next(); len(events) == 1 {
					j.Settle(events[0], bridge.Settlement{})
				}
				err = j.outbox.load()
			}
			if err == nil {
				t.Error("nobody has noticed")
			}
			closeJournal(t, j)
		})
	}
}

// TestRemovedTogether: events that follow one another in their lane are removed as a range, which ends with the last of them.
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
