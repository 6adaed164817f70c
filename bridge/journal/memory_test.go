package journal

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// signed gives an arrival a signature of its own choosing.
func signed(a *bridge.Arrival, sum, fields byte) *bridge.Arrival {
	a.Signature = bridge.Signature{Sum: [16]byte{sum}, Signed: [16]byte{fields}, Expires: 4e12, Strict: true}
	return a
}

// awaitFilters waits until the journal knows without its disk what it has not seen.
func awaitFilters(t *testing.T, j *Journal) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !j.store.FiltersLoaded(); {
		if time.Now().After(end) {
			t.Fatal("what the last run has seen is not taken in")
		}
		<-time.After(time.Millisecond)
	}
}

// TestDuplicatesAndTampering is what the memory of ids and signatures makes of a second callback.
func TestDuplicatesAndTampering(t *testing.T) {
	first := func() *bridge.Arrival { return signed(push("a", 1e12, bridge.PhasePublish), 1, 1) }
	other := func(sum, fields byte) *bridge.Arrival {
		return signed(push("a", 1e12+1000, bridge.PhasePublish), sum, fields)
	}
	for _, c := range []struct {
		name        string
		second      *bridge.Arrival
		reuse       bool
		emitted     int
		quarantined uint64
	}{
		{"the same", first(), false, 1, 0},
		{"the same, signed again", signed(first(), 2, 1), false, 1, 0},
		{"another under another signature", other(2, 2), false, 1, 0}, // held: the session before is open
		{"other signed fields under the signature", other(1, 2), false, 1, 1},
		{"other members under the signature", other(1, 1), false, 1, 1},
		{"other members, reuse accepted", other(1, 1), true, 1, 0},
		{"other signed fields, reuse accepted", other(1, 2), true, 1, 1},
	} {
		for _, restart := range []string{"without a restart", "right after a restart", "when all is taken in again"} {
			t.Run(c.name+" "+restart, func(t *testing.T) {
				o := memory()
				o.SignatureReuse, o.PublishQuarantine = c.reuse, false
				j := open(t, o)
				add(t, j, first())
				if restart != "without a restart" {
					closeJournal(t, j)
					j = open(t, o)
				}
				if restart == "when all is taken in again" {
					add(t, j, first()) // a repeat, which is the first callback of this run
					awaitFilters(t, j)
				}
				add(t, j, c.second)
				closeJournal(t, j)
				j = open(t, o)
				defer closeJournal(t, j)
				if n := j.outbox.Pending(); n != c.emitted || j.processor.Counters().Quarantine.Entries != c.quarantined {
					t.Errorf("%d emitted, %d in quarantine", n, j.processor.Counters().Quarantine.Entries)
				}
			})
		}
	}
}

func TestQuarantineLimits(t *testing.T) {
	o := memory()
	o.QuarantineMax, o.PublishQuarantine = 6, true
	j := open(t, o)
	bad := func(n int, sum byte, reason bridge.Reason) *bridge.Arrival {
		a := signed(push(fmt.Sprint("s", n), 1e12, bridge.PhasePublish), sum, sum)
		a.Reason = reason
		return a
	}
	for n := range 10 { // one captured message with ten bodies
		add(t, j, bad(n, 1, bridge.ReasonExpired))
	}
	if n := j.processor.Counters().Quarantine.Entries; n != 4 {
		t.Errorf("%d entries under one signature", n)
	}
	add(t, j, bad(100, 2, bridge.ReasonUnknownEvent), bad(100, 2, bridge.ReasonUnknownEvent))
	for n := range 5 {
		add(t, j, bad(200+n, byte(10+n), bridge.ReasonExpired))
	}
	closeJournal(t, j)
	j = open(t, o)
	defer closeJournal(t, j)
	i, err := j.Inspect()
	if err != nil || i.Reasons[string(bridge.ReasonUnknownEvent)] != 1 || i.Quarantine.Entries != uint64(o.QuarantineMax) {
		t.Errorf("%+v entries, by reason %v, %v", i.Quarantine, i.Reasons, err)
	}
	events, err := j.outbox.Next(soon(t))
	if err != nil || len(events) != 1 {
		t.Fatalf("%d notices at once, %v", len(events), err)
	}
	e := events[0]
	want := `{"body":{"event":"publish","publish_timestamp":1000000000000,"stream":"s0"},"kind":"stream",` +
		`"lane":"push.example.com/live/s0","reason":"expired","received":"` + e.Recorded.String() + `"}`
	if string(e.Data) != want || e.Lane != (bridge.Lane{Kind: bridge.KindStream}) || ordinal(e.Sequence) != 1 {
		t.Errorf("the notice is %+v with %s", e, e.Data)
	}
}

func TestIdentitiesAreForgottenAfterTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.DedupeWindow = time.Hour
		j := open(t, o)
		defer closeJournal(t, j)
		a := func() *bridge.Arrival {
			a := push("a", 0, bridge.PhaseNone)
			a.Signature = bridge.Signature{}
			return a
		}
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{0, 1}, {59 * time.Minute, 0}, {20 * time.Minute, 1}, {59 * time.Minute, 0}} {
			time.Sleep(step.wait)
			add(t, j, a())
			if got := emitted(t, j); len(got) != step.want {
				t.Errorf("after %v: %q", step.wait, got)
			}
		}
	})
}

func TestTooManyIdentities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.DedupeMax = 60
		j := open(t, o)
		defer closeJournal(t, j)
		for n := range 100 {
			add(t, j, push(fmt.Sprint("s", n), 9e11, bridge.PhasePublish))
		}
		time.Sleep(2 * housekeepingInterval)
		synctest.Wait()
		if n := j.processor.Counters().Identities(); n > 60 || n < 40 {
			t.Errorf("%d identities are remembered", n)
		}
		emitted(t, j)
		add(t, j, push("s99", 9e11, bridge.PhasePublish), push("s0", 9e11, bridge.PhasePublish))
		if got := emitted(t, j); !slices.Equal(got, []string{"s0 2 publish reopened"}) {
			t.Errorf("got %q", got)
		}
	})
}

func TestIdleLanesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		j := open(t, o)
		now := bridge.MillisOf(time.Now())
		add(
			t,
			j,
			push("closed", now, bridge.PhasePublish),
			push("closed", now, bridge.PhaseDone),
			push("open", now, bridge.PhasePublish),
		)
		emitted(t, j)
		if err := j.outbox.Trim(t.Context(), durable); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		closeJournal(t, j)
		makeOlder(t, o, processor.ForgetClosed+time.Minute)
		j = open(t, o)
		defer closeJournal(t, j)
		time.Sleep(2 * housekeepingInterval)
		add(t, j, push("closed", now+1, bridge.PhasePublish), push("open", now, bridge.PhaseDone))
		got := emitted(t, j)
		slices.Sort(got)
		if want := []string{"closed 3 publish ", "open 2 publish_done "}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		add(t, j, push("new", now, bridge.PhasePublish))
		if got := emitted(t, j); got[0] != "new 3 publish " {
			t.Errorf("a new lane begins with %q", got)
		}
	})
}

// makeOlder moves the last activity of every lane of a closed journal back, as if it had been idle since.
func makeOlder(t *testing.T, o Options, by time.Duration) {
	t.Helper()
	damage(t, o, func(db *pebble.DB) error {
		it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{'l'}, UpperBound: []byte{'l' + 1}})
		if err != nil {
			return err
		}
		now := processor.Moment{Wall: time.Now()}
		for ok := it.First(); ok; ok = it.Next() {
			var l processor.LaneState
			if err := l.ReadRecord(it.Value(), now); err != nil {
				return err
			}
			l.Touched -= bridge.Millis(by.Milliseconds())
			if err := db.Set(it.Key(), l.AppendRecord(nil, now), pebble.Sync); err != nil {
				return err
			}
		}
		return it.Close()
	})
}

// TestCacheChangesNothing runs the same callbacks with a memory of one lane and of all.
func TestCacheChangesNothing(t *testing.T) {
	var outputs [][]string
	for _, cached := range []int{1, 1000} {
		synctest.Test(t, func(t *testing.T) {
			o := memory()
			o.LanesCached = cached
			j := open(t, o)
			defer closeJournal(t, j)
			for n := range 40 {
				for s := range 5 {
					add(t, j, push(fmt.Sprint("s", s), bridge.Millis(9e11+(n*7+s)%11), bridge.PhasePublish+bridge.Phase((n+s)%2)))
				}
				time.Sleep(700 * time.Millisecond)
			}
			time.Sleep(time.Minute)
			got := emitted(t, j)
			slices.Sort(got)
			outputs = append(outputs, got)
		})
	}
	if !slices.Equal(outputs[0], outputs[1]) {
		t.Errorf("with a memory of one lane:\n%q\nof all:\n%q", outputs[0], outputs[1])
	}
}
