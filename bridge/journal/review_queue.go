package journal

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
)

// The problems of an entry that a command could not process.
const (
	problemNoEntry = "there is no such entry"
	problemNoLane  = "its body could not be read, so it has no lane to go to; purge it"
)

// clear takes the entries that a command names off their queue.
func (c *commit) clear(cmd *command) ([]bridge.Outcome, error) {
	outcomes := make([]bridge.Outcome, 0, len(cmd.numbers))
	for _, number := range cmd.numbers {
		outcome, err := c.removeEntry(cmd, number)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes, nil
}

// removeEntry takes one entry off its queue, and replays it where the command releases. The outcome's problem says why
// nothing was done.
func (c *commit) removeEntry(cmd *command, number uint64) (bridge.Outcome, error) {
	outcome := bridge.Outcome{Number: number}
	e, err := c.findEntry(cmd.queue, number)
	if err == nil && cmd.op == opRelease {
		err = c.releaseEntry(e)
	}
	switch {
	case errors.Is(err, errNoEntry):
		outcome.Problem = problemNoEntry
		return outcome, nil
	case errors.Is(err, errNoLane):
		outcome.Problem = problemNoLane
		return outcome, nil
	case err != nil:
		return outcome, err
	}
	outcome.Emitted = e.emitted
	return outcome, c.deleteEntry(e)
}

// findEntry reads one entry. The error is errNoEntry when it is not there.
func (c *commit) findEntry(s bridge.ReviewQueue, number uint64) (*reviewEntry, error) {
	table := byte(tableDeadLetter)
	if s == bridge.QuarantineQueue {
		table = tableQuarantine
	}
	key := numberKey(nil, table, number)
	if _, known := c.j.quarantine.find(number); c.removedEntries[number] || s == bridge.QuarantineQueue && !known {
		return nil, errNoEntry // by this very commit, perhaps
	}
	value, err := c.j.get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, errNoEntry
	}
	if err != nil {
		return nil, err
	}
	return readEntry(s, key, value)
}

// deleteEntry deletes an entry.
func (c *commit) deleteEntry(e *reviewEntry) error {
	if e.queue == bridge.QuarantineQueue {
		what, _ := c.j.quarantine.find(e.number)
		c.j.quarantine.take(what)
		return c.drop(what)
	}
	if c.removedEntries == nil {
		c.removedEntries = make(map[uint64]bool)
	}
	c.removedEntries[e.number] = true
	c.free(&c.j.meta.dead, e.bytes)
	return c.batch.Delete(numberKey(nil, tableDeadLetter, e.number), nil)
}

var (
	errNoEntry = errors.New("no such entry")
	errNoLane  = errors.New("no lane")
)

// releaseEntry emits the event of an entry once more, in its lane. From now on its identity is one that was seen.
func (c *commit) releaseEntry(s *reviewEntry) (err error) {
	e := s.event
	if s.queue == bridge.DeadLetterQueue {
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
		err = c.j.dedupe.add(c.batch, e.ID, c.clock.millis())
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
