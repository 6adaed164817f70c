package store

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// contents returns every key and value, but for the number of the last commit, which is part of the meta value.
func (d *disk) contents() string {
	d.t.Helper()
	var out bytes.Buffer
	for table := range 128 {
		d.must(d.each(byte(table), func(key, value []byte) error {
			_, err := fmt.Fprintf(&out, "%q %q\n", key, value)
			return err
		}))
	}
	return out.String()
}

// everything is inputs that change every table.
func everything() [][]processor.Input {
	e := recording("dead", 1).Event
	e.Sequence = 5
	return [][]processor.Input{
		inputs(
			push("a", 1, bridge.PhaseDone),
			push("b", 1, bridge.PhasePublish),
			recording("c", 1),
			suspect("d", 1),
			suspect("e", 2),
		),
		inputs(push("a", 1, bridge.PhasePublish), push("b", 2, bridge.PhasePublish), suspect("f", 3)),
		{{Action: processor.Purge, Queue: bridge.QuarantineQueue, Numbers: []uint64{2}},
			{Action: processor.Reject, Rejected: processor.Rejection{Event: &e, Reason: bridge.RejectionTooLarge}},
			{Action: processor.Release, Queue: bridge.QuarantineQueue, Numbers: []uint64{1, 2}}},
		{{Action: processor.Purge, Queue: bridge.DeadLetterQueue, Numbers: []uint64{4}}, {Action: processor.Forget}},
	}
}

// TestAddInPortions: effects are on disk as they are, to the byte, whether they are added one input after the other or
// all at once.
func TestAddInPortions(t *testing.T) {
	for _, together := range []bool{false, true} {
		var contents []string
		for _, portions := range []bool{false, true} {
			d := create(t)
			for _, commit := range everything() {
				d.pass(time.Second)
				b := d.NewBatch(nil)
				for _, in := range commit {
					in.Now = d.now
					d.must(d.p.Apply(copied(in), &d.effects))
					if portions {
						d.must(b.Add(&d.effects))
						d.must(b.Add(&d.effects)) // nothing more
					}
				}
				d.must(b.Add(&d.effects))
				d.seal(b, together)
			}
			contents = append(contents, d.contents())
			d.close()
		}
		if contents[0] != contents[1] {
			t.Errorf("all at once:\n%s\none by one:\n%s", contents[0], contents[1])
		}
	}
}

// TestNothingIsThereBeforeItIsApplied: a batch that is given up leaves nothing, and one that is not synced is there
// after a clean end.
func TestNothingIsThereBeforeItIsApplied(t *testing.T) {
	d := create(t)
	before := d.contents()
	b := d.NewBatch(nil)
	if !b.Empty() || b.Bytes() > 64 || b.Emissions() != 0 {
		t.Errorf("a new batch has %d bytes and %d events", b.Bytes(), b.Emissions())
	}
	d.apply(b, inputs(push("a", 1, bridge.PhaseDone), recording("b", 1))...)
	if b.Empty() || b.Bytes() < 100 || b.Emissions() != 1 {
		t.Errorf("it has %d bytes and %d events", b.Bytes(), b.Emissions())
	}
	d.must(b.Close())
	if after := d.contents(); after != before {
		t.Errorf("left are\n%s\nof\n%s", after, before)
	}
	d.restart(false)
	b = d.NewBatch(b)
	d.apply(b, inputs(push("a", 1, bridge.PhaseDone))...)
	d.must(b.Seal(&d.effects, false))
	d.must(b.Apply())
	d.must(b.Close())
	d.restart(false)
	if found := d.tables(); found.Held.Entries != 1 || d.p.Holding() != 1 {
		t.Errorf("after a clean end there is %+v", found)
	}
	d.close()
}

// TestNumbersOfCommits: commits are numbered from 1 on, through restarts, and each event carries the one it came with.
func TestNumbersOfCommits(t *testing.T) {
	d := create(t)
	for n := range uint64(6) {
		d.emit(n%2 == 0, int(n), "a", "b")
		if d.Committed() != n+1 {
			t.Fatalf("commit %d has the number %d", n+1, d.Committed())
		}
		if n == 3 {
			d.restart(true)
		}
	}
	b := d.NewBatch(nil)
	d.must(b.ExpandAll())
	d.seal(b, true)
	d.must(d.each(tableOutbox, func(_, value []byte) error {
		commit, e, err := readPending(value, nil)
		if err == nil && commit != e.Sequence-d.floor() {
			t.Errorf("event %d came with commit %d", e.Sequence-d.floor(), commit)
		}
		return err
	}))
	d.close()
}

// TestFreed: what is deleted from the outbox, the quarantine and the dead letters is given back to a full disk at once,
// and else when it is much.
func TestFreed(t *testing.T) {
	e := recording("dead", 1).Event
	for name, free := range map[string]func(d *disk){
		"outbox":     func(d *disk) { d.emit(false, 1, "a"); d.remove("a 1") },
		"quarantine": func(d *disk) { d.arrive(true, suspect("a", 1)); d.purge(bridge.QuarantineQueue, 1) },
		"dead letters": func(d *disk) {
			d.commit(true, nil, processor.Input{Action: processor.Reject, Rejected: processor.Rejection{Event: &e}})
			d.purge(bridge.DeadLetterQueue, 1)
		},
	} {
		d := create(t)
		d.must(d.Reclaim(true))
		if d.freed != 0 || d.compacting.Load() {
			t.Errorf("%s: of nothing there is %d", name, d.freed)
		}
		free(d)
		before := d.freed
		d.must(d.Reclaim(false))
		if before == 0 || d.freed != before {
			t.Errorf("%s: %d bytes are deleted, and %d are after a look with room", name, before, d.freed)
		}
		d.must(d.Reclaim(true))
		if d.freed != 0 {
			t.Errorf("%s: %d bytes are left", name, d.freed)
		}
		d.freed = reclaimAt
		d.background.Wait() // the tables are rewritten
		d.must(d.Reclaim(false))
		if d.freed != 0 {
			t.Errorf("%s: much is not given back", name)
		}
		d.close()
	}
}

func (d *disk) purge(q bridge.ReviewQueue, numbers ...uint64) {
	d.t.Helper()
	d.commit(true, nil, processor.Input{Action: processor.Purge, Queue: q, Numbers: numbers})
}
