package journal

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
)

// How many lanes are looked at, and quarantine entries dropped, each time the writer tends what grows old.
const (
	sweepLanes      = 256
	sweepQuarantine = 1024
)

// sweep goes round all lanes, for ever, and forgets those that were idle for long.
type sweep struct{ cursor []byte }

// housekeeping drops what has had its time: identities, signatures, quarantine entries and lanes.
func (c *commit) housekeeping() error {
	now := c.clock.millis()
	early, err := c.j.dedupe.drop(c.batch, now)
	if err != nil {
		return err
	}
	c.j.metrics.forgottenEarly.Add(float64(early))
	if err := c.j.signatures.drop(c.batch, now); err != nil {
		return err
	}
	if err := errors.Join(c.dropOld(now), c.reclaim()); err != nil {
		return err
	}
	return c.sweep(now)
}

// sweep looks at the next lanes.
func (c *commit) sweep(now bridge.Millis) error {
	lower, upper := tableBounds(tableLane)
	if c.j.sweep.cursor != nil {
		lower = c.j.sweep.cursor
	}
	it, err := c.j.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	ok := it.First()
	for n := 0; ok && err == nil && n < sweepLanes; n++ {
		err = c.consider(it.Key(), it.Value(), now)
		ok = it.Next()
	}
	c.j.sweep.cursor = nil
	if ok {
		c.j.sweep.cursor = bytes.Clone(it.Key())
	}
	if closeErr := it.Close(); err == nil {
		err = closeErr
	}
	return err
}

// consider forgets one lane if it is old enough and nothing of it is in the outbox or in this commit.
func (c *commit) consider(key, value []byte, now bridge.Millis) error {
	var stored lane
	if err := stored.readState(value, c.clock, c.j.opts.Limits); err != nil {
		return err
	}
	if !stored.forgettable(now) || c.writes(key) {
		return nil
	}
	name, err := laneOf(key)
	if err != nil || c.j.outbox.Knows(name) {
		return err
	}
	outboxed, err := c.j.hasOutbox(key[1:])
	if err != nil || outboxed {
		return err
	}
	c.j.lanes.forget(name)
	c.j.meta.floor = max(c.j.meta.floor, stored.state.Sequence)
	return c.batch.Delete(key, nil)
}

// writes reports whether this commit changes the lane of the key.
func (c *commit) writes(key []byte) bool {
	for _, l := range c.dirty {
		if bytes.Equal(laneKey(c.scratch[:0], l.name), key) {
			return true
		}
	}
	return false
}

// hasOutbox reports whether the outbox has anything of the lane.
func (j *Journal) hasOutbox(lane []byte) (found bool, err error) {
	lower := append(append([]byte{tableOutbox}, lane...), laneEnd)
	upper := append(append([]byte{tableOutbox}, lane...), afterLane)
	it, err := j.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return false, err
	}
	found = it.First()
	return found, it.Close()
}
