package journal

import (
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// tend is how often the writer looks after what grows old: identities, signatures, lanes.
const tend = time.Second

// writer is the one goroutine that decides and writes. At most one commit is being synced; while it is, the next fills.
type writer struct {
	j       *Journal
	commit  *commit      // in the making
	used    *commit      // done; its memory serves the next but one
	syncing bool         // a commit is on its way to the disk
	synced  chan *commit // comes back from there
	timer   *time.Timer  // wakes for the nearest deadline
	tended  time.Time
}

// run is the writer's life. It ends when the journal is closed or has failed.
func (w *writer) run() {
	defer close(w.j.written)
	defer w.timer.Stop()
	defer w.j.recover()
	for {
		if err := w.fill(); err != nil {
			w.j.fail(err)
			return
		}
		if !w.syncing && w.due() {
			if err := w.write(); err != nil {
				w.j.fail(err)
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
	arrivals := w.j.queue.take()
	if len(arrivals) > 0 {
		w.commit.clock = w.j.clock.read()
	}
	for _, r := range arrivals {
		if err := w.commit.add(r); err != nil {
			return err
		}
	}
	return nil
}

// due reports whether there is a reason to write now.
func (w *writer) due() bool {
	if len(w.commit.waiting) > 0 || w.j.outbox.wantsWriting() || time.Since(w.tended) >= tend {
		return true
	}
	l, deadline := w.j.holds.nearest()
	return l != nil && w.j.clock.read().until(deadline) <= 0
}

// write completes the commit and sends it to the disk; nothing waits for its sync here.
func (w *writer) write() error {
	c := w.commit
	c.clock = w.j.clock.read()
	if err := w.complete(c); err != nil {
		return err
	}
	w.commit, w.used = w.j.newCommit(w.used), nil
	if c.empty() {
		w.j.answer(c) // duplicates only: what they repeat is on disk
		return c.batch.Close()
	}
	if err := c.seal(); err != nil {
		return err
	}
	if !c.needsSync() {
		return w.apply(c)
	}
	return w.sync(c)
}

// complete adds what is not a callback: deadlines, limits, dead letters, removals, and what has grown old.
func (w *writer) complete(c *commit) error {
	for _, step := range []func() error{c.expire, c.squeeze, c.settleOutbox} {
		if err := step(); err != nil {
			return err
		}
	}
	if time.Since(w.tended) < tend {
		return nil
	}
	w.tended = time.Now()
	return c.tend()
}

// apply writes a commit that nothing waits for: it is on disk with the next one that is synced.
func (w *writer) apply(c *commit) error {
	if err := w.j.db.Apply(c.batch, pebble.NoSync); err != nil {
		return err
	}
	w.j.applied(c)
	return c.batch.Close()
}

// sync writes a commit and lets its sync run.
func (w *writer) sync(c *commit) error {
	w.syncing = true
	begun := time.Now()
	if err := w.j.db.ApplyNoSyncWait(c.batch, pebble.Sync); err != nil {
		return err
	}
	w.j.applied(c)
	go w.finish(c, begun)
	return nil
}

// finish waits for the sync and tells everybody; on failure it tells nobody, and the program ends.
func (w *writer) finish(c *commit, begun time.Time) {
	defer w.j.recover()
	if err := c.batch.SyncWait(); err != nil {
		w.j.fail(err)
		return
	}
	w.j.metrics.commit(time.Since(begun), len(c.waiting))
	w.j.answer(c)
	w.j.outbox.fresh(c.emitted, c.number)
	for _, b := range c.buried {
		w.j.outbox.buried(b)
	}
	select {
	case w.synced <- c:
	case <-w.j.failed:
	}
}

// wait sleeps until there is something to do; false: the journal is closing, all is written.
func (w *writer) wait() bool {
	w.schedule()
	select {
	case <-w.j.queue.wake:
	case <-w.timer.C:
	case c := <-w.synced:
		w.syncing = false
		return w.closeBatch(c)
	case <-w.j.failed:
		return false
	case <-w.closing():
		return w.last()
	}
	return true
}

// last writes what the outbox still wants removed, so that it is not published again after the restart.
func (w *writer) last() bool {
	if w.j.outbox.wantsWriting() {
		if err := w.write(); err != nil {
			w.j.fail(err)
		}
	}
	return w.syncing
}

func (w *writer) closeBatch(c *commit) bool {
	w.used = c
	if err := c.batch.Close(); err != nil {
		w.j.fail(err)
		return false
	}
	return true
}

// closing returns the channel that ends the writer, once nothing is under way.
func (w *writer) closing() <-chan struct{} {
	if w.syncing || len(w.commit.waiting) > 0 {
		return nil
	}
	return w.j.closing
}

// schedule sets the timer to the nearest deadline, or to the next tending. While a sync runs, its end wakes the writer.
func (w *writer) schedule() {
	if w.syncing {
		w.timer.Stop()
		return
	}
	next := tend - time.Since(w.tended)
	if l, deadline := w.j.holds.nearest(); l != nil {
		next = min(next, w.j.clock.read().until(deadline))
	}
	w.timer.Reset(max(next, 0))
}
