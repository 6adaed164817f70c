package journal

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/store"

	"github.com/cockroachdb/pebble/v2"
)

// TestScanUnderLoad: callbacks of all lanes come while what the last run has left is looked for, again and again, with
// a memory that is too small: all come out in their order.
func TestScanUnderLoad(t *testing.T) {
	t.Parallel()
	const lanes = 300
	rounds := 20
	if testing.Short() {
		rounds = 6
	}
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
	if err := j.outbox.Trim(t.Context(), durable); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestGapInTheBacklog: a lane of which the disk has lost an event ends the program, whether the lane is known or not.
func TestGapInTheBacklog(t *testing.T) {
	for _, missing := range []uint64{2, 9, 11} {
		t.Run(fmt.Sprint(missing), func(t *testing.T) {
			o := memory()
			j := open(t, o)
			all := many(1, 16)
			add(t, j, all...)
			floor := j.processor.Counters().Floor
			closeJournal(t, j)
			closeJournal(t, open(t, o)) // under its lane by now
			damage(t, o, func(db *pebble.DB) error { return db.Delete(rowKey(all[0].Event.Lane, floor+missing), nil) })
			j = open(t, o)
			ctx, cancel := untilFailed(t, j)
			defer cancel()
			for {
				events, err := j.outbox.Next(ctx)
				if err != nil {
					break
				}
				for _, e := range events {
					j.outbox.Settle(e, bridge.Settlement{})
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
	for _, n := range []int{1, 8 - 1, 8, 2 * 8} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			const lane = 3 * 8 // events of each
			o := memory()
			j := open(t, o)
			add(t, j, many(2, lane)...)
			closeJournal(t, j)
			j = open(t, o) // in table o by now
			inOrder(t, drain(t, j, 2*n), 1)
			if err := j.outbox.Trim(t.Context(), durable); err != nil {
				t.Fatal(err)
			}
			closeJournal(t, j)
			j = open(t, o)
			defer closeJournal(t, j)
			onDisk(t, j, 0, 2*(lane-n))
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
		time.Sleep(2 * store.BatchAge)
		add(t, j, arrivals[1]) // moves the first one under its lane
		onDisk(t, j, 1, 1)
		add(t, j, arrivals[2]) // for which memory has no place
		onDisk(t, j, 1, 2)
		inOrder(t, drain(t, j, 3), 1)
		trim(t, j)
		onDisk(t, j, 0, 0)
	})
}
