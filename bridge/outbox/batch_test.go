package outbox

import (
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

// TestReserve: events become an event batch only while memory has a place for each, and nothing is on disk alone or may
// be by the time that they are synced.
func TestReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 8) // half of it for event batches
		reserve := func(events int, want bool, when string) {
			t.Helper()
			if got := p.Reserve(events); got != want {
				t.Errorf("%s: Reserve(%d) is %v", when, events, got)
			}
		}
		reserve(5, false, "empty, too many")
		reserve(1, false, "behind what goes under its lane and is not synced")
		p.Enqueue(p.disk.write(events(6), false), 1)
		reserve(1, false, "with more than half of memory taken")
		p.Enqueue(p.disk.write(events(1), false), 2)
		p.drain(7, 1)
		reserve(3, true, "with memory free")
		reserve(1, true, "with one place left")
		reserve(1, false, "with all places taken")
		p.Enqueue(p.disk.write(events(3), true), 3)
		p.Enqueue(p.disk.write(events(1), true), 4)
		p.Enqueue(p.disk.write(events(1), false), 5)
		p.add(many(1, 5)...)
		if !p.state.spilled() {
			t.Fatal("memory has room for all")
		}
		p.drain(10-2, 8)
		reserve(1, false, "with events on disk alone")
		p.Enqueue(p.disk.write(events(1), false), p.disk.commit)
		p.drain(3, 16)
		readOn(t, p.Outbox)
		reserve(1, true, "with nothing left")
	})
}

func events(n int) (out []*bridge.Event) {
	for range n {
		out = append(out, &bridge.Event{Lane: lane("s000")})
	}
	return out
}

// TestBatchStaysInMemory: a lane that waits for another try keeps its events while they can be read nowhere else,
// however full memory is; once they can be, it gives them up.
func TestBatchStaysInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 8)
		p.commit("a", "b")
		for _, e := range p.take() {
			p.Settle(e, bridge.Settlement{Retry: time.Second})
		}
		p.add(many(20, 1)...)
		for _, l := range p.delayed {
			if len(l.events) == 0 {
				t.Fatalf("memory has given up the event of %s", l.lane)
			}
		}
		p.expandAll()
		time.Sleep(time.Second)
		for n := 0; n < 2; {
			for _, e := range p.take() {
				if e.Lane.Stream == "a" || e.Lane.Stream == "b" {
					p.Settle(e, bridge.Settlement{Retry: time.Hour})
					n++
					continue
				}
				p.Settle(e, bridge.Settlement{})
			}
		}
		for _, l := range p.delayed {
			if p.state.spilled() && len(l.events) != 0 {
				t.Errorf("memory keeps the event of %s", l.lane)
			}
		}
	})
}

// TestBatchIsForgotten: nothing is kept of an event batch whose events are gone, or lie under their lanes.
func TestBatchIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 100)
		p.commit("a", "b", "c")
		p.commit("a")
		if len(p.intact) != 2 {
			t.Fatalf("%v", p.intact)
		}
		p.drain(4, 1)
		p.trim()
		p.commit("a", "b")
		p.expandAll()
		if len(p.intact) != 0 {
			t.Errorf("%v", p.intact)
		}
	})
}

// TestDeadLetter: an event that the broker has rejected leaves in its turn, behind those of its lane that the broker
// may still lose, and its lane goes on.
func TestDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 100)
		p.commit("a", "b")
		p.add("a", "a")
		p.drain(2, 1)
		p.Settle(p.take()[0], bridge.Settlement{DeadLetter: "too large", Detail: "2 MB"})
		if more := p.now(); len(more) != 0 {
			t.Errorf("%v came before the dead letter was on disk", more)
		}
		_, rejections := p.TakeWrites()
		if len(rejections) != 1 || rejections[0].Reason != "too large" || rejections[0].Detail != "2 MB" || p.Pending() != 2 {
			t.Fatalf("%+v, %d pending", rejections, p.Pending())
		}
		p.DeadLettered(rejections[0])
		if removals, _ := p.TakeWrites(); len(removals) != 0 {
			t.Errorf("%+v leave before what the broker may lose", removals)
		}
		p.drain(1, 3)
		p.trim()
		if len(p.lanes) != 0 {
			t.Errorf("%d lanes are known", len(p.lanes))
		}
	})
}

// TestDeadLettersAreFull: an event that the dead letters have no room for stays at the head of its lane and is tried
// again later.
func TestDeadLettersAreFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 100)
		p.add("a", "a")
		p.Settle(p.take()[0], bridge.Settlement{DeadLetter: "too large"})
		begun := time.Now()
		_, rejections := p.TakeWrites()
		p.DeadLettersFull(rejections[0])
		p.drain(2, 1)
		if waited := time.Since(begun); waited != DeadLetterRetry {
			t.Errorf("tried again after %v", waited)
		}
	})
}
