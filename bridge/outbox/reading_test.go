package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

// readOn has the outbox read until there is nothing to read, and returns how many reads that took.
func readOn(t *testing.T, o *Outbox) (reads int) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for ; o.wantsReading(); reads++ {
		if err := o.readPage(); err != nil {
			t.Fatal(err)
		}
	}
	return reads
}

// backlogOf opens an outbox that has n events of each of some lanes on disk alone.
func backlogOf(t *testing.T, limit, lanes, n int) *partition {
	t.Helper()
	p := open(t, limit)
	p.add(many(lanes, n)...)
	p.restart()
	return p
}

// TestBacklogIsRead: what memory has no place for comes out in its turn, also after a restart, and is gone then.
func TestBacklogIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 8)
		p.add(many(30, 20)...)
		if p.memory > p.limit {
			t.Errorf("%d events in memory", p.memory)
		}
		p.drain(200, 1)
		p.restart()
		p.drain(600, 1)
		p.trim()
		if p.Pending() != 0 || p.state.spilled() && p.depth != p.memory {
			t.Errorf("%d pending, state %d", p.Pending(), p.state)
		}
		p.restart()
		if p.Pending() != 0 {
			t.Errorf("%d pending after trim and restart", p.Pending())
		}
	})
}

// TestLanesAreReadInParts: a lane of which memory has a part is read again when most of that is gone, not for every
// event.
func TestLanesAreReadInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lanes, each = 3, 1000
		p := backlogOf(t, 65_536, lanes, each)
		reads := 0
		for n := 0; n < lanes*each; {
			reads += readOn(t, p.Outbox)
			for _, l := range p.lanes {
				if p.state.spilled() && len(l.events) > mostShare {
					t.Fatalf("memory has %d events of %v", len(l.events), l.lane)
				}
			}
			events, _ := p.next()
			for _, e := range events {
				p.Settle(e, bridge.Settlement{})
			}
			n += len(events)
		}
		if most := 2 * lanes * each / mostShare; reads > most {
			t.Errorf("%d reads, %d at the most", reads, most)
		}
	})
}

// TestStuckLaneStarvesNoOther: a lane that fills memory many times over and cannot go on leaves the others room.
func TestStuckLaneStarvesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 16)
		p.add(many(1, 300)...)
		p.add(many(5, 10)...)
		p.expandAll()
		next := make(map[string]uint64)
		for n := 0; n < 40; {
			for _, e := range p.take() {
				if e.Lane.Stream == "s000" {
					p.Settle(e, bridge.Settlement{Retry: time.Hour})
					continue
				}
				if next[e.Lane.Stream]++; e.Sequence != next[e.Lane.Stream] {
					t.Fatalf("stream %s: sequence %d, want %d", e.Lane.Stream, e.Sequence, next[e.Lane.Stream])
				}
				p.Settle(e, bridge.Settlement{})
				n++
			}
		}
	})
}

// scanOnce reads one page of the scan. Meanwhile something happens, which the page does not show.
func (p *partition) scanOnce(meanwhile func()) {
	p.t.Helper()
	p.disk.during = func(string) { meanwhile() }
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scanNext = false // so that it is
	if err := p.readPage(); err != nil {
		p.t.Fatal(err)
	}
}

// TestScanFindsWhatComesMeanwhile: an event that came to lie on disk alone while the scan goes on is read in its turn:
// behind the place where that is, before it, right there, or while a page was read; of a lane that has others on disk,
// or none.
func TestScanFindsWhatComesMeanwhile(t *testing.T) {
	const lanes, each, limit = 600, 2, 65_536
	for _, c := range []struct {
		name                  string
		between, during, then string // streams of which an event comes between two pages, during the second, after that
	}{
		{"before", "a", "", ""},
		{"behind", "z", "", ""},
		{"behind, known", "s599", "", ""},
		{"where the scan is", "s256", "", ""},
		{"where the scan is, and again", "s256", "", "s256"},
		{"during a read", "", "s256a", ""},
		{"during a read, known", "", "s257", ""},
		{"during a read, far behind", "", "z", ""},
		{"during a read, and again", "", "s256a", "s256a"},
		{"during a read, and later before", "", "s256a", "s0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := backlogOf(t, limit, lanes, each)
				n := lanes * each
				come := func(stream string) {
					if stream != "" {
						n++
						p.add(stream)
					}
				}
				p.scanOnce(func() {})
				if p.scanCursor != lane("s256") {
					t.Fatalf("the scan is at %v", p.scanCursor)
				}
				come(c.between)
				p.scanOnce(func() { come(c.during) })
				come(c.then)
				p.drain(n, 1)
			})
		})
	}
}

// TestLanesOnDiskTakeNoMemory: however many lanes have something on disk alone, so many of them and no more are known.
func TestLanesOnDiskTakeNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lanes, limit = 1000, 20
		p := open(t, limit)
		p.add(many(lanes, 2)...)
		if known := len(p.lanes); known != limit {
			t.Errorf("%d lanes are known", known)
		}
		p.drain(2*lanes, 1)
	})
}

// TestPages: whatever the last run has left comes out once, in the order of its lanes, at every edge of a page: by
// lanes, by events, by bytes.
func TestPages(t *testing.T) {
	for _, c := range []struct{ limit, lanes, events, bytes int }{
		{256, 1, 1, 0}, {256, 1, 2, 0}, {256, 1, 3, 0}, {256, 1, 191, 0}, {256, 1, 192, 0}, {256, 1, 193, 0},
		{256, 1, 300, 0},
		{256, 3, 1, 0}, {256, 4, 1, 0}, {256, 5, 1, 0}, {256, 9, 1, 0}, {256, 13, 3, 0}, {256, 7, 50, 0},
		{1, 1, 3, 0}, {1, 3, 3, 0}, {2, 5, 9, 0},
		{1024, 4, leastShare, 0}, {1024, 4, leastShare + 1, 0}, {1024, 9, mostShare + 1, 0},
		{1024, 1, 9, 600 << 10},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := open(t, c.limit)
				for _, s := range many(c.lanes, c.events) {
					p.emit(&bridge.Event{Lane: lane(s), Data: bytes.Repeat([]byte{1}, c.bytes)})
				}
				p.restart()
				p.drain(c.lanes*c.events, 1)
				p.trim()
				p.restart()
				if p.Pending() != 0 {
					t.Errorf("%d come out again", p.Pending())
				}
			})
		})
	}
}

// TestLostEvent: a lane of which the disk has lost an event is an error, whether the lane is known or not, and so is an
// outbox that has fewer than it counts; nothing is read any more then.
func TestLostEvent(t *testing.T) {
	for _, missing := range []int{0, 1, leastShare, leastShare + 2, 2*leastShare - 1} {
		t.Run(fmt.Sprint(missing), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := backlogOf(t, 1024, 1, 2*leastShare)
				rows := p.disk.rows[lane("s000")]
				p.disk.rows[lane("s000")] = append(rows[:missing:missing], rows[missing+1:]...)
				var failures []string
				p.opts.Fail = func(err error) { failures = append(failures, err.Error()) }
				for range 3 * leastShare {
					for _, e := range p.now() {
						p.Settle(e, bridge.Settlement{})
					}
				}
				if len(failures) != 1 || !strings.Contains(failures[0], "read the outbox") {
					t.Errorf("%q", failures)
				}
			})
		})
	}
}

// broken is a Backlog that cannot be read.
type broken struct{ Backlog }

var errBroken = errors.New("broken disk")

func (broken) Has(bridge.Lane, uint64) (bool, error) { return false, errBroken }

// TestDelivery: an event waits until it is settled, wherever it is; a replay that is a dead letter again is reported as
// that.
func TestDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, 10)
		is := func(sequence uint64, want string) {
			t.Helper()
			if d, err := p.Delivery(lane("a"), sequence); err != nil || string(d.State) != want {
				t.Errorf("event %d is %+v, %v; want %s", sequence, d, err, want)
			}
		}
		p.emit(&bridge.Event{Lane: lane("a")}, &bridge.Event{Lane: lane("a"), Marks: bridge.MarkReplayed})
		is(1, string(bridge.DeliveryWaiting))
		first := p.take()[0]
		is(1, string(bridge.DeliveryWaiting))
		p.Settle(first, bridge.Settlement{})
		is(1, string(bridge.DeliveryPublished))
		is(2, string(bridge.DeliveryWaiting))
		p.Settle(p.take()[0], bridge.Settlement{DeadLetter: bridge.RejectionTooLarge, Detail: "2 MB"})
		p.write()
		if d, err := p.Delivery(lane("a"), 2); err != nil || d.DeadLetter != 1 || d.Detail != "2 MB" {
			t.Errorf("%+v, %v", d, err)
		}
		p.add("a")
		p.restart()
		is(3, string(bridge.DeliveryWaiting))
		p.opts.Backlog = broken{p.opts.Backlog}
		if _, err := p.Delivery(lane("b"), 1); !errors.Is(err, errBroken) {
			t.Errorf("%v", err)
		}
	})
}
