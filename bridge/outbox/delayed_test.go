package outbox

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

// TestDelayedLanesHaveABound: beyond so many lanes that wait for another try the one whose time comes first is tried
// early, and no other.
func TestDelayedLanesHaveABound(t *testing.T) {
	o := New(Options{Limit: 1 << 20})
	sent := 0
	send := func(n int) {
		for range n {
			l := bridge.Lane{Kind: bridge.KindRecord, Stream: fmt.Sprint(sent)}
			o.Enqueue([]Pending{{Event: &bridge.Event{Lane: l, Sequence: 1}}}, 1)
			events, _ := o.next()
			o.Settle(events[0], bridge.Settlement{Retry: 2*time.Hour - time.Duration(sent%delayedMax)*time.Millisecond})
			sent++
		}
	}
	send(delayedMax)
	if early, _ := o.next(); len(early) != 0 {
		t.Fatalf("tried early are %v", early)
	}
	send(1)
	if early, _ := o.next(); len(early) != 1 || early[0].Lane.Stream != fmt.Sprint(delayedMax-1) {
		t.Errorf("tried early are %v", early)
	}
}

// TestDelayedLanesComeInTheirTime: whatever order lanes are delayed in, they come in that of their times.
func TestDelayedLanesComeInTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 100)
		p.commit("5", "1", "4", "2", "3")
		for _, e := range p.take() {
			var after int
			fmt.Sscan(e.Lane.Stream, &after)
			p.Settle(e, bridge.Settlement{Retry: time.Duration(after) * time.Second})
		}
		begun := time.Now()
		for i := 1; i <= 5; i++ {
			e := p.take()[0]
			if e.Lane.Stream != fmt.Sprint(i) || time.Since(begun) != time.Duration(i)*time.Second {
				t.Errorf("%s comes after %v", e.Lane.Stream, time.Since(begun))
			}
			p.Settle(e, bridge.Settlement{})
		}
	})
}

// TestDelayedLaneWaitsOnDisk: a lane whose events memory gives up while it waits for another try comes when that time
// is over, once and not before, though all others are done and the rest is read at once.
func TestDelayedLaneWaitsOnDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 8)
		p.add("stuck", "stuck", "stuck", "stuck", "stuck")
		p.expandAll()
		begun := time.Now()
		p.Settle(p.take()[0], bridge.Settlement{Retry: time.Hour})
		for i := range 20 {
			p.add(fmt.Sprint("other", i))
		}
		for others := 0; others < 20; {
			for _, e := range p.take() {
				if e.Lane.Stream == "stuck" {
					t.Fatalf("%d after %v", e.Sequence, time.Since(begun))
				}
				others++
				p.Settle(e, bridge.Settlement{})
			}
		}
		p.drain(1, 1)
		if time.Since(begun) != time.Hour {
			t.Errorf("it comes after %v", time.Since(begun))
		}
		p.drain(4, 2)
	})
}

// TestDelayedLanesAreReadAgain: lanes whose events were given up while they wait for another try, too many to be kept
// in memory, are read again when that time has come, though nothing else happens.
func TestDelayedLanesAreReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lanes = 1024
		p := open(t, 64)
		p.add(many(lanes, 2)...)
		p.expandAll()
		for delayed := 0; delayed < lanes; {
			for _, e := range p.take() {
				p.Settle(e, bridge.Settlement{Retry: time.Hour})
				delayed++
			}
		}
		p.drain(2*lanes, 1)
	})
}
