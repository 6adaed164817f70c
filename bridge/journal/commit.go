package journal

import (
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
	"livebridge/bridge/tally"
)

// commit is everything that goes to disk together with one sync, and what may be reported to the outside once that sync
// is through.
type commit struct {
	now     processor.Moment
	effects processor.Effects
	batch   *store.Batch // the effects as they lie on disk

	written      bool               // to the store, and to be synced
	begun        time.Time          // when it was written
	waiting      []*request         // to be answered nil
	quarantined  [][]zap.Field      // to be logged
	deadLettered []outbox.Rejection // are dead letters now
	reported     tally.Counted
}

// newCommit makes an empty commit, from the memory of one that is done where there is one.
func (j *Journal) newCommit(used *commit) *commit {
	if used == nil {
		return &commit{now: j.clock.moment(), batch: j.store.NewBatch(nil)}
	}
	used.effects.Reset()
	return &commit{
		now: j.clock.moment(), effects: used.effects, batch: j.store.NewBatch(used.batch), waiting: used.waiting[:0],
	}
}

// empty reports whether there is nothing to write.
func (c *commit) empty() bool { return c.batch.Empty() && !c.effects.Changes() }

// needsSync reports whether something must be on disk before it may be reported to the outside.
func (c *commit) needsSync() bool {
	return len(c.waiting)+len(c.effects.Emitted)+len(c.deadLettered) > 0
}

// full reports whether the batch is large enough that more should wait for the next.
func (c *commit) full() bool { return len(c.waiting) >= 4096 || c.batch.Bytes() > 4<<20 }

// apply has the processor decide an input, and adds what changes to the commit.
func (j *Journal) apply(c *commit, in processor.Input) error {
	in.Now = c.now
	if err := j.processor.Apply(in, &c.effects); err != nil {
		return err
	}
	j.report(c)
	return c.batch.Add(&c.effects)
}

// add decides one callback, or carries out a command.
func (j *Journal) add(c *commit, r *request) (err error) {
	c.waiting = append(c.waiting, r)
	if r.command == nil {
		return j.decide(c, r.arrival)
	}
	r.result, err = j.execute(c, r.command)
	return err
}

// decide decides one callback, and tells who has handed it over what was decided.
func (j *Journal) decide(c *commit, a *bridge.Arrival) error {
	if err := j.apply(c, processor.Input{Action: processor.Arrive, Arrival: a}); err != nil {
		return err
	}
	d := &c.effects.Decisions[len(c.effects.Decisions)-1]
	a.Event.ID, a.Decision = d.Event.ID, d.Verdict.String()
	return nil
}

// settleOutbox removes from the outbox what the broker has on disk and what it will never take.
func (j *Journal) settleOutbox(c *commit) error {
	removals, rejections := j.outbox.TakeWrites()
	if err := c.batch.Remove(removals); err != nil {
		return err
	}
	for _, r := range rejections {
		if err := j.reject(c, r); err != nil {
			return err
		}
	}
	return nil
}

// reject makes an event of the outbox a dead letter, if there is room for it.
func (j *Journal) reject(c *commit, r outbox.Rejection) error {
	before := len(c.effects.DeadLettered)
	err := j.apply(c, processor.Input{Action: processor.Reject,
		Rejected: processor.Rejection{Event: r.Event, Reason: r.Reason, Detail: r.Detail}})
	if err != nil {
		return err
	}
	if len(c.effects.DeadLettered) == before {
		j.outbox.DeadLettersFull(r)
		return nil
	}
	r.Number = c.effects.DeadLettered[before].Number
	c.deadLettered = append(c.deadLettered, r)
	return c.batch.Expand(r.Batch)
}

// seal writes what the commit has gathered in memory. What it emits is written together while the broker keeps up.
func (j *Journal) seal(c *commit) error {
	n := c.batch.Emissions()
	return c.batch.Seal(&c.effects, n > 0 && j.outbox.Reserve(n))
}
