package journal

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

const (
	// parcelAge is how long a parcel is left whole. Most are empty by then: their events are at the broker.
	parcelAge = 3 * time.Second
	// unpackAtOnce is how many events of old parcels go with one commit, so that no callback waits long for them.
	unpackAtOnce = 512
)

// parcel is what one commit has emitted, written as one value, which costs a fraction of a key for each event. While it is
// whole its events are in memory, all of them. It goes from the disk when the last of them is done with; one that grows
// old, because the broker is away or a lane is stuck, is unpacked into table o.
type parcel struct {
	number uint64 // of the commit
	born   time.Time
	gone   []bool // by position: the broker has it on disk
	left   int    // events that are not gone
	bytes  uint64 // of those
	open   bool   // its events are in table o, or on their way there; the writer's
	stored bool   // they are there for readers; under the outbox's lock
}

// parcels is the writer's memory of table p.
type parcels struct {
	whole []*parcel // oldest first; some may be empty or open by now
	tally tally     // of the events in whole ones
}

// pack decides how a commit's emissions are written, and writes them: as one parcel while the broker keeps up, else each
// under its lane, where a reader finds it.
func (c *commit) pack() error {
	if len(c.emitted) == 0 {
		return nil
	}
	if !c.j.outbox.admit(len(c.emitted)) {
		return c.spread()
	}
	p := &parcel{number: c.j.meta.commit + 1, born: c.clock.now, gone: make([]bool, len(c.emitted)), left: len(c.emitted)}
	for i := range c.emitted {
		e := &c.emitted[i]
		e.parcel, e.position = p, i
		p.bytes += uint64(e.bytes)
		c.j.parcels.tally.add(e.bytes)
	}
	c.j.parcels.whole = append(c.j.parcels.whole, p)
	return c.batch.Set(numberKey(nil, tableParcel, p.number), c.records, nil)
}

// spread writes each emission under its lane.
func (c *commit) spread() error {
	var key [128]byte
	return eachRecord(c.records, func(i int, record []byte) error {
		p := c.emitted[i]
		c.j.meta.outbox.add(p.bytes)
		return c.batch.Set(outboxKey(key[:0], p.event.Lane, p.event.Sequence), record, nil)
	})
}

// eachRecord calls f for every record of a parcel's value.
func eachRecord(value []byte, f func(i int, record []byte) error) error {
	r := reader{rest: value}
	for i := 0; len(r.rest) > 0; i++ {
		record := r.bytes()
		if r.err != nil {
			return fmt.Errorf("parcel of the outbox: %w", r.err)
		}
		if err := f(i, record); err != nil {
			return err
		}
	}
	return nil
}

// take notes that the broker has an event of a whole parcel, and removes the parcel with its last one.
func (c *commit) take(a acked) error {
	p := a.parcel
	p.gone[a.position] = true
	p.left--
	p.bytes -= uint64(a.bytes)
	c.j.parcels.tally.remove(a.bytes)
	if p.left > 0 {
		return nil
	}
	return c.batch.SingleDelete(numberKey(nil, tableParcel, p.number), nil)
}

// unpackOld moves what is left of old parcels into table o.
func (c *commit) unpackOld() error {
	ps := &c.j.parcels
	for moved := 0; len(ps.whole) > 0 && moved < unpackAtOnce; ps.whole = ps.whole[1:] {
		p := ps.whole[0]
		if p.left == 0 || p.open {
			continue
		}
		if c.clock.now.Sub(p.born) < parcelAge {
			return nil
		}
		moved += p.left
		if err := c.unpack(p); err != nil {
			return err
		}
	}
	return nil
}

// unpackWhole moves all that is in parcels into table o, where it can be read lane by lane.
func (c *commit) unpackWhole() error {
	for _, p := range c.j.parcels.whole {
		if p.left == 0 || p.open {
			continue
		}
		if err := c.unpack(p); err != nil {
			return err
		}
	}
	return nil
}

// unpack moves what is left of a parcel into table o.
func (c *commit) unpack(p *parcel) error {
	key := numberKey(nil, tableParcel, p.number)
	value, err := c.j.get(key)
	if err != nil {
		return fmt.Errorf("parcel %d of the outbox: %w", p.number, err)
	}
	p.open = true
	c.unpacked = append(c.unpacked, p)
	err = eachRecord(value, func(i int, record []byte) error {
		if p.gone[i] {
			return nil
		}
		c.j.parcels.tally.remove(len(record))
		return unpackRecord(c.batch, &c.j.meta, record)
	})
	return errors.Join(err, c.batch.SingleDelete(key, nil))
}

// unpackRecord writes one event of a parcel under its lane.
func unpackRecord(batch *pebble.Batch, m *meta, record []byte) error {
	_, e, err := readPending(record)
	if err != nil {
		return err
	}
	m.outbox.add(len(record))
	return batch.Set(outboxKey(nil, e.Lane, e.Sequence), record, nil)
}

// unpackBegun moves what is left of parcels that the broker has a part of, so that the next run does not publish that part
// again. The writer has ended.
func (j *Journal) unpackBegun() error {
	c := j.newCommit(nil)
	for _, p := range j.parcels.whole {
		if !p.open && p.left > 0 && p.left < len(p.gone) {
			if err := c.unpack(p); err != nil {
				return err
			}
		}
	}
	if c.batch.Empty() {
		return c.batch.Close()
	}
	if err := c.seal(); err != nil {
		return err
	}
	return c.batch.Commit(pebble.Sync)
}
