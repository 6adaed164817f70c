package journal

import (
	"time"

	"livebridge/bridge/processor"
)

// housekeepingInterval is how often the writer looks after what grows old: identities, signatures, lanes.
const housekeepingInterval = time.Second

// pipeline is how many commits may be on their way to the disk. With one, all that comes while it is synced shares the
// next: fewer and larger commits, which cost less than a second sync that could begin at once gains.
const pipeline = 1

// writer is the one goroutine that decides and writes.
type writer struct {
	j                *Journal
	commit           *commit      // in the making
	used             *commit      // done; its memory serves another
	underWay         int          // commits on their way to the disk
	syncing          chan *commit // there
	synced           chan *commit // and back, in the same order
	timer            *time.Timer  // wakes for the nearest deadline
	lastHousekeeping time.Time
}

func newWriter(j *Journal) *writer {
	return &writer{
		j: j, commit: j.newCommit(nil), timer: time.NewTimer(0),
		syncing: make(chan *commit, pipeline), synced: make(chan *commit, pipeline),
	}
}

// run is the writer's life. It ends when the journal is closed or has failed.
func (w *writer) run() {
	defer close(w.j.written)
	defer close(w.syncing)
	defer w.timer.Stop()
	defer w.j.store.FailOnPanic()
	for {
		if err := w.fill(); err != nil {
			w.j.store.Fail(err)
			return
		}
		if w.underWay < pipeline && w.due() {
			if err := w.write(); err != nil {
				w.j.store.Fail(err)
				return
			}
			continue
		}
		if !w.wait() {
			return
		}
	}
}

// fill takes all that waits into the commit.
func (w *writer) fill() error {
	if w.commit.full() {
		return nil
	}
	w.commit.now = w.j.clock.moment() // first: all that waits comes before a deadline that has passed by then
	arrivals := w.j.queue.take()
	for _, r := range arrivals {
		w.j.store.LoadFilters()
		if err := w.j.add(w.commit, r); err != nil {
			return err
		}
	}
	return nil
}

// due reports whether there is a reason to write now.
func (w *writer) due() bool {
	if len(w.commit.waiting) > 0 || w.j.outbox.HasWrites() || time.Since(w.lastHousekeeping) >= housekeepingInterval {
		return true
	}
	deadline, holding := w.j.processor.Deadline()
	return holding && w.commit.now.Until(deadline) <= 0
}

// write completes the commit and sends it to the disk; nothing waits for its sync here.
func (w *writer) write() error {
	c := w.commit
	if err := w.addHousekeeping(c); err != nil {
		return err
	}
	w.commit, w.used = w.j.newCommit(w.used), nil
	if c.empty() { // duplicates only: they wait for what they repeat
		w.awaitSync(c)
		return nil
	}
	if err := w.j.seal(c); err != nil {
		return err
	}
	if !c.needsSync() {
		return w.apply(c)
	}
	return w.sync(c)
}

// awaitSync has a commit synced and answered, after those before it.
func (w *writer) awaitSync(c *commit) {
	c.begun = time.Now()
	w.underWay++
	w.syncing <- c
}

// How many lanes each housekeeping looks at.
const (
	sweepLanes    = 256  // for those that are to be forgotten
	sweepSessions = 1024 // for sessions whose end is missing
)

// addHousekeeping adds what is not a callback: deadlines, limits, dead letters, removals, and what has grown old.
func (w *writer) addHousekeeping(c *commit) error {
	if err := w.j.apply(c, processor.Input{Action: processor.Expire}); err != nil {
		return err
	}
	if err := w.j.settleOutbox(c); err != nil {
		return err
	}
	if err := w.j.limitHistory(c, 0); err != nil {
		return err
	}
	if err := c.batch.ExpandOld(c.now); err != nil {
		return err
	}
	if time.Since(w.lastHousekeeping) < housekeepingInterval {
		return nil
	}
	w.lastHousekeeping = time.Now()
	return w.j.forget(c)
}

// forget drops what has had its time: identities, signatures, quarantine entries and lanes.
func (j *Journal) forget(c *commit) error {
	if err := j.store.Reclaim(j.capacity.short()); err != nil {
		return err
	}
	if err := j.yieldHistory(c); err != nil {
		return err
	}
	idle, err := j.store.IdleLanes(c.now, sweepLanes, j.outbox.Knows)
	if err != nil {
		return err
	}
	in := processor.Input{Action: processor.Forget, Idle: idle}
	if j.opts.SessionEvents && j.opts.SessionStaleAfter > 0 {
		in.Unended, err = j.store.UnendedLanes(c.now, sweepSessions, j.opts.SessionStaleAfter)
	}
	if err != nil {
		return err
	}
	return j.apply(c, in)
}

// apply writes a commit that nothing waits for: it is on disk with the next one that is synced.
func (w *writer) apply(c *commit) error {
	if err := c.batch.Apply(); err != nil {
		return err
	}
	w.j.afterApply(c)
	return c.batch.Close()
}

// sync writes a commit and lets its sync run.
func (w *writer) sync(c *commit) error {
	if err := c.batch.Begin(); err != nil {
		return err
	}
	c.written = true
	w.j.afterApply(c)
	w.awaitSync(c)
	return nil
}

// awaitSyncs waits for one sync after the other and tells everybody; after a failure it tells nobody, and the program
// ends.
func (w *writer) awaitSyncs() {
	defer w.j.store.FailOnPanic()
	for c := range w.syncing {
		if c.written {
			if err := c.batch.Wait(); err != nil {
				w.j.store.Fail(err)
				return
			}
			w.j.metrics.commit(time.Since(c.begun), len(c.waiting))
		}
		w.j.outbox.Enqueue(c.batch.Emitted(), c.batch.Number()) // first: what is answered counts as pending
		w.j.answer(c)
		for _, b := range c.deadLettered {
			w.j.outbox.DeadLettered(b)
		}
		w.synced <- c
	}
}

// wait sleeps until there is something to do; false: the journal is closing, all is written.
func (w *writer) wait() bool {
	w.schedule()
	select {
	case <-w.j.queue.wake:
	case <-w.timer.C:
	case c := <-w.synced:
		w.underWay--
		return w.closeBatch(c)
	case <-w.j.store.Failed():
		return false
	case <-w.closing():
		return w.flushRemovals()
	}
	return true
}

// flushRemovals writes what the outbox still wants removed, so that it is not published again after the restart.
func (w *writer) flushRemovals() bool {
	for w.j.outbox.HasWrites() && w.underWay < pipeline {
		if err := w.write(); err != nil {
			w.j.store.Fail(err)
			return false
		}
	}
	return w.underWay > 0
}

func (w *writer) closeBatch(c *commit) bool {
	w.used = c
	if err := c.batch.Close(); err != nil {
		w.j.store.Fail(err)
		return false
	}
	return true
}

// closing returns the channel that ends the writer, once nothing is under way.
func (w *writer) closing() <-chan struct{} {
	if w.underWay > 0 || len(w.commit.waiting) > 0 {
		return nil
	}
	return w.j.closing
}

// schedule sets the timer to the nearest deadline, or to the next housekeeping. While nothing more can be written, the
// end of a sync wakes the writer.
func (w *writer) schedule() {
	if w.underWay >= pipeline {
		w.timer.Stop()
		return
	}
	next := housekeepingInterval - time.Since(w.lastHousekeeping)
	if deadline, holding := w.j.processor.Deadline(); holding {
		next = min(next, w.j.clock.moment().Until(deadline))
	}
	w.timer.Reset(max(next, 0))
}
