package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// idleLanes returns the streams of the lanes that may be forgotten, of the next so many.
func (d *disk) idleLanes(most int, waits ...string) (names []string) {
	d.t.Helper()
	idle, err := d.IdleLanes(d.now, most, func(l bridge.Lane) bool { return slices.Contains(waits, l.Stream) })
	d.must(err)
	for _, l := range idle {
		names = append(names, l.Stream)
	}
	return names
}

// done removes everything from the outbox.
func (d *disk) done() {
	d.t.Helper()
	for len(d.waiting) > 0 {
		var refs []string
		for _, of := range slices.SortedFunc(keysOf(d.waiting), compareRefs) {
			refs = append(refs, fmt.Sprint(of.lane.Stream, " ", of.sequence-d.floor()))
		}
		d.remove(refs...)
	}
}

// TestIdleLanesGoRound: the lanes are looked at some at a time, all of them before one comes again.
func TestIdleLanesGoRound(t *testing.T) {
	d := create(t)
	defer d.close()
	d.emit(true, 1, "a", "b", "c", "d", "e")
	d.done()
	if early := d.idleLanes(100); len(early) != 0 {
		t.Errorf("at once %q may be forgotten", early)
	}
	d.pass(processor.ForgetClosed + time.Second)
	for most, want := range map[int][]string{
		1: {"a", "b", "c", "d", "e", "a"}, 2: {"a", "b", "c", "d", "e", "a", "b"}, 4: {"a", "b", "c", "d", "e"},
		5: {"a", "b", "c", "d", "e", "a", "b", "c", "d", "e"}, 9: {"a", "b", "c", "d", "e", "a", "b", "c", "d", "e"},
	} {
		d.lanesCursor = nil
		var got []string
		for range map[int]int{1: 6, 2: 4, 4: 2, 5: 2, 9: 2}[most] {
			got = append(got, d.idleLanes(most)...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d at a time: %q, want %q", most, got, want)
		}
	}
}

// TestLanesThatWaitAreNotIdle: a lane of which something is in the outbox is not idle, whether that lies in memory, in
// an event batch or under the lane; nor is one that holds something, nor one that came in between.
func TestLanesThatWaitAreNotIdle(t *testing.T) {
	d := create(t)
	defer d.close()
	d.emit(true, 1, "a", "b", "row")
	d.done()
	d.emit(false, 2, "row")
	d.arrive(true, push("held", 1, bridge.PhaseDone))
	d.pass(processor.ForgetClosed + time.Second)
	if got := d.idleLanes(100, "a"); !slices.Equal(got, []string{"b"}) {
		t.Errorf("idle are %q", got)
	}
	d.emit(true, 2, "b") // and the hold has ended: that event is in a batch
	if got := d.idleLanes(100, "a", "held"); len(got) != 0 {
		t.Errorf("idle are %q", got)
	}
	if n, err := d.Lanes(); err != nil || n != 4 {
		t.Errorf("%d lanes, %v", n, err)
	}
}

// TestForgottenLane: what the processor forgets is gone from the disk, and the lane begins anew behind the floor.
func TestForgottenLane(t *testing.T) {
	d := create(t)
	defer d.close()
	d.emit(true, 1, "a")
	d.emit(true, 2, "a")
	d.done()
	d.pass(processor.ForgetClosed + time.Second)
	lane := recording("a", 1).Event.Lane
	d.commit(true, nil, processor.Input{Action: processor.Forget, Idle: []bridge.Lane{lane}})
	if _, found, err := d.Lane(lane, d.now); found || err != nil {
		t.Errorf("it is there: %v, %v", found, err)
	}
	d.restart(true)
	d.emit(true, 3, "b")
	if got := d.last[0].Event.Sequence; got != d.floor()+3 {
		t.Errorf("a new lane begins with %d, want %d", got-d.floor(), 3)
	}
}

// TestDamagedLane: a lane that cannot be read is an error to everybody who comes by.
func TestDamagedLane(t *testing.T) {
	d := create(t)
	lane := recording("a", 1).Event.Lane
	for key, name := range map[string]string{string(laneKey(nil, lane)): "state", "l\x02no lane": "name"} {
		d.must(d.db.Set([]byte(key), []byte{0x80}, pebble.Sync))
		if _, err := d.IdleLanes(d.now, 100, func(bridge.Lane) bool { return false }); err == nil {
			t.Errorf("a lane without a %s was passed over", name)
		}
		d.must(d.db.Delete([]byte(key), nil))
	}
	d.must(d.db.Set(laneKey(nil, lane), []byte{0x80}, pebble.Sync))
	if _, _, err := d.Lane(lane, d.now); err == nil {
		t.Error("a lane without a state was read")
	}
	d.close()
}
