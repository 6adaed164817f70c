package journal

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
)

// What an operator is told of an entry that nothing was done with.
const (
	problemGone   = "there is no such entry"
	problemNoLane = "its body could not be read, so it has no lane to go to; purge it"
)

// takeOff takes one entry off its shelf after use has had it. The outcome's problem says why nothing was done.
func (c *commit) takeOff(s bridge.ReviewQueue, number uint64, use func(*commit, *shelved) error) (bridge.Outcome, error) {
	outcome := bridge.Outcome{Number: number}
	e, err := c.findShelved(s, number)
	if err == nil {
		err = use(c, e)
	}
	switch {
	case errors.Is(err, errGone):
		outcome.Problem = problemGone
		return outcome, nil
	case errors.Is(err, errNoLane):
		outcome.Problem = problemNoLane
		return outcome, nil
	case err != nil:
		return outcome, err
	}
	outcome.Emitted = e.emitted
	return outcome, c.unshelve(e)
}

// findShelved reads one entry. The error is errGone when it is not there.
func (c *commit) findShelved(s bridge.ReviewQueue, number uint64) (*shelved, error) {
	table := byte(tableDead)
	if s == bridge.QuarantineQueue {
		table = tableQuarantined
	}
	key := numberKey(nil, table, number)
	if _, known := c.j.quarantined.find(number); c.taken[number] || s == bridge.QuarantineQueue && !known {
		return nil, errGone // by this very commit, perhaps
	}
	value, err := c.j.get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	return readShelved(s, key, value)
}

// unshelve deletes an entry.
func (c *commit) unshelve(e *shelved) error {
	if e.shelf == bridge.QuarantineQueue {
		what, _ := c.j.quarantined.find(e.number)
		c.j.quarantined.take(what)
		return c.drop(what)
	}
	if c.taken == nil {
		c.taken = make(map[uint64]bool)
	}
	c.taken[e.number] = true
	c.free(&c.j.meta.dead, e.bytes)
	return c.batch.Delete(numberKey(nil, tableDead, e.number), nil)
}

var (
	errGone   = errors.New("no such entry")
	errNoLane = errors.New("no lane")
)

// replayShelved emits the event of an entry once more, in its lane. From now on its identity is one that was seen.
func (c *commit) replayShelved(s *shelved) (err error) {
	e := s.event
	if s.shelf == bridge.DeadLetterQueue {
		s.emitted, err = c.replay(e)
		return err
	}
	if e.Lane.IsZero() {
		return errNoLane
	}
	e.Reason = "" // from here on it is an event like any other
	var known bool
	known, err = c.knows(e.ID)
	if err == nil && !known {
		c.ids[e.ID] = struct{}{}
		err = c.j.seen.add(c.batch, e.ID, c.clock.millis())
	}
	if err != nil {
		return err
	}
	s.emitted, err = c.replay(e)
	return err
}

// replay emits an event once more, in its lane: a new sequence, marked.
func (c *commit) replay(e *bridge.Event) (*bridge.Emission, error) {
	l, err := c.lane(e.Lane)
	if err != nil {
		return nil, err
	}
	l.touched = c.clock.millis()
	in := arrivalOf(e, c.clock)
	in.Action = sequencer.Replay
	if _, err = c.apply(l, in, e); err != nil {
		return nil, err
	}
	return &bridge.Emission{Kind: e.Lane.Kind.String(), Lane: e.Lane.Subject(), Sequence: e.Sequence}, nil
}
