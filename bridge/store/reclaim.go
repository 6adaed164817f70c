package store

import (
	"context"
	"fmt"

	"livebridge/bridge/processor"
)

// reclaimAt is how much is deleted before the store is made to notice while the disk has room. Deletions take little
// room in its memory, where they stay until it is full, and until then the disk has all that they have deleted. Tidying
// up takes time from a backlog that is being published, so it comes seldom.
const reclaimAt = 256 << 20

// Reclaim has the disk give back what was deleted, at once when it is full.
func (s *Store) Reclaim(full bool) error {
	if s.freed == 0 || s.freed < reclaimAt && !full || s.compacting.Load() {
		return nil
	}
	s.freed = 0
	if _, err := s.Flush(); err != nil { // what is deleted whole goes with the deletion's own table
		return err
	}
	if tables := s.rewritable(); full && len(tables) > 0 {
		s.compacting.Store(true)
		s.Go(func() { s.compact(tables) })
	}
	return nil
}

// Flush begins to write what is in memory and in the log as a table; the channel is closed when it is one.
func (s *Store) Flush() (<-chan struct{}, error) { return s.db.AsyncFlush() }

// rewritable returns the tables of which so little is left that a full disk has room for writing it once more.
func (s *Store) rewritable() (tables []byte) {
	c := &s.meta.counters
	for _, t := range []struct {
		table byte
		usage processor.Usage
	}{
		{tableOutbox, s.meta.outbox}, {tableQuarantine, c.Quarantine}, {tableDeadLetter, c.DeadLetters},
		{tableHistory, s.history.usage}, {tableHistoryLane, s.history.usage}, {tableHistoryID, s.history.usage},
	} {
		if t.usage.Bytes <= s.opts.MinFreeBytes/2 {
			tables = append(tables, t.table)
		}
	}
	return tables
}

// compact writes what is left of the tables once more, without what was deleted. The newest files would else stay as
// they are until more is written, and on a full disk nothing is.
func (s *Store) compact(tables []byte) {
	defer s.compacting.Store(false)
	ctx, cancel := s.working()
	defer cancel()
	for _, table := range tables {
		lower, upper := tableBounds(table)
		if err := s.db.Compact(ctx, lower, upper, false); err != nil {
			if ctx.Err() == nil {
				s.Fail(fmt.Errorf("give the disk back what was deleted: %w", err))
			}
			return
		}
	}
}

// working returns a context that ends when the store closes or fails: one that has failed leaves some calls waiting.
func (s *Store) working() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	s.background.Go(func() {
		defer cancel()
		select {
		case <-s.closing:
		case <-s.failed:
		case <-ctx.Done():
		}
	})
	return ctx, cancel
}

// Reclaiming reports whether the disk is being given back what was deleted.
func (s *Store) Reclaiming() bool { return s.compacting.Load() }
