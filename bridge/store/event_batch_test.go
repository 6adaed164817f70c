package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
	"livebridge/bridge/processor"
)

// emit has one event of each stream emitted in one commit.
func (d *disk) emit(together bool, n int, streams ...string) {
	d.t.Helper()
	var all []*bridge.Arrival
	for _, s := range streams {
		all = append(all, recording(s, n))
	}
	d.arrive(together, all...)
}

// remove removes events from the outbox, named by stream and position from 1 on.
func (d *disk) remove(refs ...string) {
	d.t.Helper()
	var removals []outbox.Removal
	for _, ref := range refs {
		stream, position, _ := strings.Cut(ref, " ")
		var n uint64
		fmt.Sscan(position, &n)
		p, found := d.waiting[eventRef{recording(stream, 0).Event.Lane, d.floor() + n}]
		if !found {
			d.t.Fatalf("%s does not wait", ref)
		}
		removals = append(removals, removal(p))
	}
	d.commit(true, removals)
}

// TestBatchGoesWithItsLast: an event batch is one value however many events it has, and goes with the last of them.
func TestBatchGoesWithItsLast(t *testing.T) {
	d := create(t)
	defer d.close()
	d.emit(true, 1, "a", "b", "c")
	d.rows("written", 1, 0)
	d.remove("b 1")
	d.remove("a 1")
	d.rows("two are gone", 1, 0)
	if d.Outbox().Bytes == 0 {
		t.Error("an event that waits takes no room")
	}
	d.remove("c 1")
	d.rows("all are gone", 0, 0)
	if d.Outbox() != (processor.Usage{}) {
		t.Errorf("an empty outbox takes %+v", d.Outbox())
	}
}

// TestBatchIsExpanded: what is left of an event batch comes to lie under its lanes, once, when it is old, when it is
// asked for, or when all are; what was removed does not come back.
func TestBatchIsExpanded(t *testing.T) {
	for name, expand := range map[string]func(d *disk, b *Batch) error{
		"old":  func(d *disk, b *Batch) error { d.pass(BatchAge); return b.ExpandOld(d.now) },
		"one":  func(d *disk, b *Batch) error { return b.Expand(d.last[0].Batch) },
		"all":  func(_ *disk, b *Batch) error { return b.ExpandAll() },
		"both": func(d *disk, b *Batch) error { d.pass(BatchAge); return joined(b.ExpandAll(), b.ExpandOld(d.now)) },
	} {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			defer d.close()
			d.emit(true, 1, "a", "b", "c")
			d.remove("b 1")
			number := d.last
			d.emit(true, 2, "c")
			d.remove("c 2")
			d.last = number
			for _, p := range d.waiting {
				d.last = []outbox.Pending{p}
			}
			b := d.NewBatch(nil)
			d.must(expand(d, b))
			d.must(expand(d, b))
			if len(b.Expanded()) != 1 {
				t.Errorf("%v are expanded", b.Expanded())
			}
			d.seal(b, true)
			d.rows("expanded", 0, 2)
			if got := fmt.Sprint(d.backlog()); got != "map[a:[1] c:[1]]" {
				t.Errorf("the backlog is %s", got)
			}
			d.remove("a 1", "c 1")
			d.rows("removed", 0, 0)
		})
	}
}

func joined(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestYoungBatchesStay: an event batch is not expanded before its time, and behind one that is young nothing is looked
// at; of old ones no more go with one commit than it is to be slowed down by.
func TestYoungBatchesStay(t *testing.T) {
	d := create(t)
	defer d.close()
	d.emit(true, 1, "young")
	d.pass(BatchAge - time.Nanosecond)
	b := d.NewBatch(nil)
	d.must(b.ExpandOld(d.now))
	if len(b.Expanded()) != 0 || !b.Empty() {
		t.Errorf("%v are expanded", b.Expanded())
	}
	var many []string
	for i := range expandAtOnce {
		many = append(many, fmt.Sprint(i))
	}
	d.emit(true, 1, many...)
	d.emit(true, 1, "last")
	d.pass(BatchAge)
	for _, want := range []int{2, 1} {
		b := d.NewBatch(nil)
		d.must(b.ExpandOld(d.now))
		if len(b.Expanded()) != want {
			t.Errorf("%v are expanded, want %d", b.Expanded(), want)
		}
		d.seal(b, true)
	}
	d.rows("in the end", 0, expandAtOnce+2)
}

// TestBatchesAfterARestart: after a clean end nothing comes out twice, after a crash an event batch comes out whole,
// but for what lies before a later event of its lane that is gone.
func TestBatchesAfterARestart(t *testing.T) {
	for _, c := range []struct {
		power bool
		want  string
	}{{false, "map[a:[3] b:[1] c:[1]]"}, {true, "map[a:[3] b:[1] c:[1]]"}} {
		d := create(t)
		d.emit(true, 1, "a", "b", "c")
		d.emit(true, 2, "a")
		d.remove("a 1")
		d.remove("a 2")
		d.emit(true, 3, "a")
		d.restart(c.power)
		if got := fmt.Sprint(d.backlog()); got != c.want {
			t.Errorf("power lost %v: the backlog is %s, want %s", c.power, got, c.want)
		}
		d.rows("restarted", 0, 3)
		d.close()
	}
	d := create(t)
	d.emit(true, 1, "a", "b")
	d.remove("a 1") // the lane has nothing behind it: whether it is gone is known after a clean end alone
	d.restart(true)
	if got := fmt.Sprint(d.backlog()); got != "map[a:[1] b:[1]]" {
		t.Errorf("after a crash the backlog is %s", got)
	}
	d.Store.Interrupt()
	d.must(d.Store.Close())
}

// TestOperatorSeesBatches: a store that must not be written counts what lies in event batches, and leaves it there.
func TestOperatorSeesBatches(t *testing.T) {
	d := create(t)
	d.emit(true, 1, "a", "b")
	left := d.fs.CrashClone(cloneAll())
	d.close()
	d.fs, d.opts.Access = left, ReadOnly
	for range 2 {
		d.open()
		if n := d.Outbox().Entries; n != 2 || d.Rows().Entries != 0 {
			t.Errorf("%d events in all, %d rows", n, d.Rows().Entries)
		}
		d.close()
	}
	d.opts.Access = ReadWrite
	d.open()
	d.rows("for writing", 0, 2)
	d.close()
}

// TestDamagedBatch: an event batch that is no such is an error when it is read at the start, and when it is expanded.
func TestDamagedBatch(t *testing.T) {
	for _, value := range [][]byte{{3, 1, 2, 3}, {200}, nil} {
		d := create(t)
		d.emit(true, 1, "a")
		key := numberKey(nil, tableEventBatch, d.Committed())
		if value == nil {
			d.must(d.db.Delete(key, nil))
		} else {
			d.must(d.db.Set(key, value, pebble.Sync))
		}
		b := d.NewBatch(nil)
		if err := b.ExpandAll(); err == nil {
			t.Errorf("%v was expanded", value)
		}
		d.must(b.Close())
		if value == nil {
			continue
		}
		left := d.fs.CrashClone(cloneAll())
		d.opts.FS = left
		if _, err := open(d.opts); err == nil || !strings.Contains(err.Error(), "load the journal in journal") {
			t.Errorf("opened with %v: %v", value, err)
		}
	}
}

// TestRemoved: whatever is removed in whatever portions, together or alone, in ranges or not, goes and nothing else.
func TestRemoved(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, portion := range []int{1, 2, rangeLeast - 1, rangeLeast, rangeLeast + 1, 3 * rangeLeast} {
		d := create(t)
		const each = 4 * rangeLeast
		for n := range each {
			d.emit(n%5 == 0 && portion < rangeLeast, n, "a", "b", "c")
		}
		next := map[string]int{"a": 1, "b": 1, "c": 1}
		for len(next) > 0 {
			var refs []string
			for _, s := range streams(next) {
				for range random.IntN(portion + 1) {
					if next[s] <= each {
						refs = append(refs, fmt.Sprint(s, " ", next[s]))
						next[s]++
					}
				}
				if next[s] > each {
					delete(next, s)
				}
			}
			d.remove(refs...)
			rows := 0
			for of, p := range d.waiting {
				key := outboxKey(nil, of.lane, of.sequence)
				if found, err := d.look(key, func([]byte) error { return nil }); err != nil || found != (p.Batch == 0) {
					t.Fatalf("portions of %d: %v is under its lane: %v, %v", portion, of, found, err)
				}
				if p.Batch == 0 {
					rows++
				}
			}
			d.rows(fmt.Sprint("portions of ", portion), int(d.tables().EventBatches.Entries), rows)
		}
		d.rows("in the end", 0, 0)
		d.close()
	}
}
