package store

import (
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
	"livebridge/bridge/processor"
	"livebridge/bridge/record"
)

// Batch is one commit in the making: effects as they lie on disk, and what goes from the outbox's tables. It is used by
// the writer alone, and so is the Store where it writes.
type Batch struct {
	s        *Store
	batch    *pebble.Batch
	written  written
	emitted  []outbox.Pending
	records  []byte // the same as bytes, each behind its length
	removed  []outbox.Removal
	expanded []uint64 // event batches that are under their lanes now
	number   uint64   // of the commit, once it is sealed
	value    []byte   // memory for the next one
}

// written is how much of each list of the effects is in the batch.
type written struct {
	emitted, forgotten, held, released, identities, signatures, quarantined, unquarantined, deadLettered, removed int
	identitiesBelow, signaturesBelow                                                                              uint64
}

// NewBatch returns an empty batch, in the memory of one that is closed where there is one.
func (s *Store) NewBatch(used *Batch) *Batch {
	b := &Batch{s: s, batch: s.db.NewBatch()}
	if used != nil {
		clear(used.emitted)
		b.emitted, b.records, b.value = used.emitted[:0], used.records[:0], used.value
	}
	return b
}

// Add writes what the effects have more than before, but for lanes and counters, which Seal writes. What is removed
// comes behind what is put.
func (b *Batch) Add(eff *processor.Effects) error {
	b.addEmitted(eff)
	return errors.Join(b.addHeld(eff), b.addNames(eff), b.addQuarantined(eff), b.addDeadLetters(eff),
		b.addForgotten(eff))
}

// addEmitted encodes what is emitted; Seal decides where it lies.
func (b *Batch) addEmitted(eff *processor.Effects) {
	for _, e := range eff.Emitted[b.written.emitted:] {
		b.value = appendPending(b.value[:0], b.s.meta.commit+1, e)
		b.records = record.AppendText(b.records, b.value)
		b.emitted = append(b.emitted, outbox.Pending{Event: e, Bytes: len(b.value)})
	}
	b.written.emitted = len(eff.Emitted)
}

func (b *Batch) addHeld(eff *processor.Effects) error {
	var key [128]byte
	for _, e := range eff.Held[b.written.held:] {
		b.value = record.AppendEvent(b.value[:0], e)
		if err := b.batch.Set(heldKey(key[:0], e.Lane, e.Session, e.Phase), b.value, nil); err != nil {
			return err
		}
	}
	for _, e := range eff.Released[b.written.released:] {
		if err := b.batch.Delete(heldKey(key[:0], e.Lane, e.Session, e.Phase), nil); err != nil {
			return err
		}
	}
	b.written.held, b.written.released = len(eff.Held), len(eff.Released)
	return nil
}

// addNames writes identities and signatures, and lets their filters know.
func (b *Batch) addNames(eff *processor.Effects) error {
	var key [25]byte
	for _, n := range eff.Identities[b.written.identities:] {
		b.s.identities.add(n.Part, n.Sum)
		if err := b.batch.Set(nameKey(key[:0], n), nil, nil); err != nil {
			return err
		}
	}
	for i := range eff.Signatures[b.written.signatures:] {
		use := &eff.Signatures[b.written.signatures+i]
		b.s.signatures.add(use.Name.Part, use.Name.Sum)
		b.value = append(append(b.value[:0], use.Use.Signed[:]...), use.Use.ID[:]...)
		if err := b.batch.Set(nameKey(key[:0], use.Name), b.value, nil); err != nil {
			return err
		}
	}
	b.written.identities, b.written.signatures = len(eff.Identities), len(eff.Signatures)
	return errors.Join(
		b.dropBelow(b.s.identities, eff.IdentitiesBelow, &b.written.identitiesBelow),
		b.dropBelow(b.s.signatures, eff.SignaturesBelow, &b.written.signaturesBelow))
}

// dropBelow removes the names in parts below one, once.
func (b *Batch) dropBelow(f *existenceFilter, part uint64, done *uint64) error {
	if part == *done {
		return nil
	}
	*done = part
	f.drop(part)
	return b.batch.DeleteRange(numberKey(nil, f.table, 0), numberKey(nil, f.table, part), nil)
}

func (b *Batch) addQuarantined(eff *processor.Effects) error {
	for i := range eff.Quarantined[b.written.quarantined:] {
		q := &eff.Quarantined[b.written.quarantined+i]
		b.value = processor.AppendQuarantined(b.value[:0], q.Raw, q.Event)
		err := errors.Join(
			b.batch.Set(numberKey(nil, tableQuarantineIndex, q.Number), quarantineRecord(&q.QuarantineRecord), nil),
			b.batch.Set(numberKey(nil, tableQuarantine, q.Number), b.value, nil))
		if err != nil {
			return err
		}
	}
	for _, r := range eff.Unquarantine[b.written.unquarantined:] {
		b.s.freed += uint64(r.Bytes)
		err := errors.Join(
			b.batch.Delete(numberKey(nil, tableQuarantineIndex, r.Number), nil),
			b.batch.Delete(numberKey(nil, tableQuarantine, r.Number), nil))
		if err != nil {
			return err
		}
	}
	b.written.quarantined, b.written.unquarantined = len(eff.Quarantined), len(eff.Unquarantine)
	return nil
}

func (b *Batch) addDeadLetters(eff *processor.Effects) error {
	for i := range eff.DeadLettered[b.written.deadLettered:] {
		d := &eff.DeadLettered[b.written.deadLettered+i]
		b.value = d.AppendRecord(b.value[:0])
		if err := b.batch.Set(numberKey(nil, tableDeadLetter, d.Number), b.value, nil); err != nil {
			return err
		}
	}
	for _, e := range eff.DeadLettersRemoved[b.written.removed:] {
		b.s.freed += uint64(e.Bytes)
		if err := b.batch.Delete(numberKey(nil, tableDeadLetter, e.Number), nil); err != nil {
			return err
		}
	}
	b.written.deadLettered, b.written.removed = len(eff.DeadLettered), len(eff.DeadLettersRemoved)
	return nil
}

func (b *Batch) addForgotten(eff *processor.Effects) error {
	for _, name := range eff.Forgotten[b.written.forgotten:] {
		if err := errors.Join(b.batch.Delete(laneKey(nil, name), nil), b.forgetSessions(name)); err != nil {
			return err
		}
	}
	b.written.forgotten = len(eff.Forgotten)
	return nil
}

// Empty reports whether nothing is in the batch, but for what Seal writes.
func (b *Batch) Empty() bool { return b.batch.Empty() && len(b.removed)+len(b.emitted) == 0 }

// Bytes is how much is in the batch.
func (b *Batch) Bytes() int { return b.batch.Len() + len(b.records) }

// Emissions returns how many events the batch emits.
func (b *Batch) Emissions() int { return len(b.emitted) }

// Seal writes lanes, counters and emissions: these together as one event batch, or each under its lane. Nothing more is
// added then. The effects must be those of Add.
func (b *Batch) Seal(eff *processor.Effects, together bool) error {
	if err := b.writeEmissions(together, eff.Now); err != nil {
		return err
	}
	var key [128]byte
	for i := range eff.Lanes {
		l := &eff.Lanes[i]
		b.value = l.AppendRecord(b.value[:0], eff.Now)
		if err := b.batch.Set(laneKey(key[:0], l.Name), b.value, nil); err != nil {
			return err
		}
		if err := b.addSessions(l); err != nil {
			return err
		}
	}
	b.s.meta.set(&eff.Counters)
	return b.seal()
}

// seal writes the meta value.
func (b *Batch) seal() error {
	b.s.meta.commit++
	b.number = b.s.meta.commit
	b.value = b.s.meta.append(b.value[:0])
	return b.batch.Set([]byte{tableMeta}, b.value, nil)
}

// Number returns the number of the commit.
func (b *Batch) Number() uint64 { return b.number }

// Emitted returns the events that the batch emits, and where each lies; valid until the batch's memory is used again.
func (b *Batch) Emitted() []outbox.Pending { return b.emitted }

// Removed returns the events that the batch removes from the outbox's tables.
func (b *Batch) Removed() []outbox.Removal { return b.removed }

// Expanded returns the event batches of which it moves the events under their lanes.
func (b *Batch) Expanded() []uint64 { return b.expanded }

// Apply makes the store show the batch. It is on disk with the next one that is synced.
func (b *Batch) Apply() error { return b.s.db.Apply(b.batch, pebble.NoSync) }

// ApplySync makes the store show the batch, and returns when it is on disk.
func (b *Batch) ApplySync() error { return b.s.db.Apply(b.batch, pebble.Sync) }

// Begin makes the store show the batch and begins to sync it; Wait returns when it is on disk.
func (b *Batch) Begin() error { return b.s.db.ApplyNoSyncWait(b.batch, pebble.Sync) }

// Wait returns when the batch, which was begun, is on disk. Batches are waited for in their order.
func (b *Batch) Wait() error {
	if err := b.batch.SyncWait(); err != nil {
		return err
	}
	return b.s.updateMarker(b.number)
}

// Close gives up the batch; its memory may be used for another.
func (b *Batch) Close() error { return b.batch.Close() }

// commitDigits is the length of the commit number before an event of the outbox.
const commitDigits = 8

// appendPending appends an event of the outbox with the number of the commit that emitted it.
func appendPending(dst []byte, commit uint64, e *bridge.Event) []byte {
	return record.AppendEvent(binary.BigEndian.AppendUint64(dst, commit), e)
}

// readPending reads what appendPending has written. Texts that shared has are not allocated again.
func readPending(value []byte, shared record.Texts) (commit uint64, e *bridge.Event, err error) {
	r := record.NewReader(value, shared)
	commit = binary.BigEndian.Uint64(r.Take(commitDigits))
	e, err = r.Event()
	return commit, e, err
}
