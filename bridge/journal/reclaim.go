package journal

import (
	"context"
	"fmt"
)

// reclaimAt is how much is deleted before the store is made to notice while the disk has room. Deletions take little
// room in its memory, where they stay until it is full, and until then the disk has all that they have deleted. Tidying
// up takes time from a backlog that is being published, so it comes seldom.
const reclaimAt = 256 << 20

// free notes that an entry of a table is deleted, which the disk may still have.
func (c *commit) free(t *usage, bytes int) {
	t.remove(bytes)
	c.j.freed += uint64(bytes)
}

// reclaim has the disk give back what was deleted, at once when it is full.
func (c *commit) reclaim() error {
	full := c.j.capacity.diskFull()
	if c.j.freed == 0 || c.j.freed < reclaimAt && !full || c.j.compacting.Load() {
		return nil
	}
	c.j.freed = 0
	if tables := c.rewritable(); full && len(tables) > 0 {
		c.j.compacting.Store(true)
		c.j.inBackground(func() { c.j.compact(tables) })
		return nil
	}
	_, err := c.j.db.AsyncFlush()
	return err
}

// rewritable returns the tables of which so little is left that a full disk has room for writing it once more.
func (c *commit) rewritable() (tables []byte) {
	m := &c.j.meta
	for _, t := range []struct {
		table byte
		usage usage
	}{{tableOutbox, m.outbox}, {tableQuarantine, m.quarantine}, {tableDeadLetter, m.dead}} {
		if t.usage.bytes <= c.j.opts.MinFreeBytes/2 {
			tables = append(tables, t.table)
		}
	}
	return tables
}

// compact writes what is left of the tables once more, without what was deleted. The newest files would else stay as
// they are until more is written, and on a full disk nothing is.
func (j *Journal) compact(tables []byte) {
	defer j.compacting.Store(false)
	ctx, cancel := j.working()
	defer cancel()
	for _, table := range tables {
		lower, upper := tableBounds(table)
		if err := j.db.Compact(ctx, lower, upper, false); err != nil {
			if ctx.Err() == nil {
				j.fail(fmt.Errorf("give the disk back what was deleted: %w", err))
			}
			return
		}
	}
}

// working returns a context that ends when the journal closes or fails: a store that has failed leaves some calls
// waiting.
func (j *Journal) working() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	j.background.Go(func() {
		defer cancel()
		select {
		case <-j.closing:
		case <-j.failed:
		case <-ctx.Done():
		}
	})
	return ctx, cancel
}
