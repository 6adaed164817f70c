package store

import (
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// TestEntries: the entries of a review queue come by rising number, from behind one on, for as long as they are wanted,
// and none of the other queue.
func TestEntries(t *testing.T) {
	d := create(t)
	defer d.close()
	e := recording("dead", 1).Event
	d.arrive(true, suspect("a", 1), suspect("b", 2))
	d.commit(true, nil, processor.Input{Action: processor.Reject,
		Rejected: processor.Rejection{Event: &e, Detail: "2 MB"}})
	d.arrive(true, suspect("c", 3))
	for _, c := range []struct {
		queue bridge.ReviewQueue
		after uint64
		most  int
		want  []uint64
	}{
		{bridge.QuarantineQueue, 0, 9, []uint64{1, 2, 4}},
		{bridge.QuarantineQueue, 1, 9, []uint64{2, 4}},
		{bridge.QuarantineQueue, 2, 1, []uint64{4}},
		{bridge.QuarantineQueue, 0, 2, []uint64{1, 2}},
		{bridge.QuarantineQueue, 4, 9, nil},
		{bridge.DeadLetterQueue, 0, 9, []uint64{3}},
		{bridge.DeadLetterQueue, 3, 9, nil},
	} {
		var got []uint64
		d.must(d.Entries(c.queue, c.after, func(e processor.Entry) bool {
			got = append(got, e.Number)
			return len(got) < c.most
		}))
		if !slices.Equal(got, c.want) {
			t.Errorf("%s behind %d, %d at the most: %v, want %v", c.queue, c.after, c.most, got, c.want)
		}
	}
}

// TestDamagedValues: a value that is no such is an error to whoever reads it, and not taken for nothing.
func TestDamagedValues(t *testing.T) {
	lane := recording("a", 1).Event.Lane
	held := processor.EntryRef{Place: processor.PlaceHeld, Lane: lane, Session: 5, Phase: bridge.PhaseDone}
	list := func(q bridge.ReviewQueue) func(d *disk) error {
		return func(d *disk) error { return d.Entries(q, 0, func(processor.Entry) bool { return true }) }
	}
	entry := func(of processor.EntryRef) func(d *disk) error {
		return func(d *disk) error { _, _, err := d.Entry(of); return err }
	}
	kept := func(d *disk) error { _, err := d.Kept(); return err }
	use := processor.Name{Signature: true, Part: 1, Sum: [16]byte{1}}
	for name, c := range map[string]struct {
		key  []byte
		read func(d *disk) error
	}{
		"held event":      {heldKey(nil, lane, 5, bridge.PhaseDone), entry(held)},
		"held at a start": {heldKey(nil, lane, 5, bridge.PhaseDone), kept},
		"quarantine":      {numberKey(nil, tableQuarantine, 1), list(bridge.QuarantineQueue)},
		"quarantine entry": {numberKey(nil, tableQuarantine, 1),
			entry(processor.EntryRef{Place: processor.PlaceQuarantine, Number: 1})},
		"quarantine index": {numberKey(nil, tableQuarantineIndex, 1), kept},
		"dead letters":     {numberKey(nil, tableDeadLetter, 1), list(bridge.DeadLetterQueue)},
		"dead letter": {numberKey(nil, tableDeadLetter, 1),
			entry(processor.EntryRef{Place: processor.PlaceDeadLetters, Number: 1})},
		"signature": {nameKey(nil, use), func(d *disk) error { _, _, err := d.Name(use); return err }},
		"outbox": {outboxKey(nil, lane, 1), func(d *disk) error {
			_, _, err := d.OutboxPage(bridge.ReplayQuery{})
			return err
		}},
		"meta": {[]byte{tableMeta}, func(d *disk) error { return d.load() }},
	} {
		d := create(t)
		d.background.Wait()
		d.signatures.add(1, use.Sum) // or it would not be looked for
		if err := c.read(d); err != nil {
			t.Errorf("%s: before: %v", name, err)
		}
		d.must(d.db.Set(c.key, []byte{0x80}, pebble.Sync))
		if err := c.read(d); err == nil || !strings.Contains(err.Error(), "shorter") {
			t.Errorf("%s: %v", name, err)
		}
		d.Interrupt()
		_ = d.Discard()
	}
}
