package journal

import (
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

// TestDrained: what counts is when the events were recorded that are not acknowledged, whether they are in memory,
// under way, or on disk only.
func TestDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.OutboxMemory = 4
		j := open(t, o)
		defer closeJournal(t, j)
		add(t, j, push("room1", 1000, bridge.PhasePublish), push("room2", 1000, bridge.PhasePublish))
		at := time.Now()
		time.Sleep(time.Second)
		add(t, j, push("room3", 1000, bridge.PhasePublish))
		drained := func(want bool, when string) {
			t.Helper()
			if j.Drained(at) != want {
				t.Errorf("Drained is %v %s", !want, when)
			}
		}
		drained(false, "with all in memory")
		events, err := j.Next(soon(t))
		if err != nil || len(events) != 3 {
			t.Fatal(len(events), err)
		}
		drained(false, "with all under way")
		for _, e := range events {
			if e.Lane.Stream != "room3" {
				j.Settle(e, bridge.Settlement{})
			}
		}
		drained(true, "with the later one under way")
		for i := range 20 {
			add(t, j, push("room4", bridge.Millis(1000*i), bridge.PhasePublish))
		}
		drained(false, "with more than memory takes")
		for _, e := range events {
			if e.Lane.Stream == "room3" {
				j.Settle(e, bridge.Settlement{})
			}
		}
		drain(t, j, j.Pending())
		drained(true, "with nothing left")
	})
}
