package cluster

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge/store"
)

// CatchUp reads the state of all partitions into the caches. A replica that does so before it takes part takes a
// partition over within a moment, while those who own them work on. What cannot be read now is read when it is needed.
func (c *Cluster) CatchUp(ctx context.Context) {
	begun, total := c.opts.now(), 0
	for partition := range c.opts.Intake.Partitions() {
		rows, err := c.readAhead(ctx, partition)
		c.warnNotAhead(ctx, partition, err)
		total += rows
	}
	if ctx.Err() == nil {
		c.opts.Log.Info("state of the partitions read", zap.Int("rows", total),
			zap.Duration("took", c.opts.now()-begun))
	}
}

// standBy keeps the caches of the partitions of other replicas near what is committed, until the context ends. What was
// committed since is what a replica reads when it takes a partition over.
func (r *run) standBy(ctx context.Context) {
	ticker := time.NewTicker(r.c.opts.ReadAhead)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		for partition := range r.c.opts.Intake.Partitions() {
			r.c.warnNotAhead(ctx, partition, r.readAhead(ctx, partition))
		}
	}
}

// readAhead reads on the state of a partition on which this replica does not work, until it is to.
func (r *run) readAhead(ctx context.Context, partition int) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &worker{cancel: cancel, ended: make(chan struct{})}
	if r.lend(partition, w) {
		_, err = r.c.readAhead(ctx, partition)
		close(w.ended)
	}
	if errors.Is(context.Cause(ctx), errRebalanced) {
		return nil
	}
	return err
}

// lend gives the cache of a partition to a worker that reads ahead, unless another worker has it.
func (r *run) lend(partition int, w *worker) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := r.busy[partition]; last != nil && !closed(last) {
		return false
	}
	r.busy[partition], r.standby[partition] = w.ended, w
	return true
}

// readAhead takes what was committed of a partition into its cache, and returns how many rows that was.
func (c *Cluster) readAhead(ctx context.Context, partition int) (rows int, err error) {
	cache, err := store.OpenCache(c.opts.cacheOptions(partition))
	if err != nil {
		return 0, err
	}
	if rows, err = c.readInto(ctx, cache, partition); gone(err) {
		if err = cache.Reset(); err == nil {
			rows, err = c.readInto(ctx, cache, partition)
		}
	}
	return rows, errors.Join(err, cache.Close())
}

// readInto reads on where a cache ends.
func (c *Cluster) readInto(ctx context.Context, cache *store.Cache, partition int) (rows int, err error) {
	r := restorer{cache: cache, restored: func(n int) { rows += n }}
	if err = c.opts.Partitions.State(ctx, partition, cache.Position(), r.put); err == nil {
		err = r.flush()
	}
	return rows, err
}

// warnNotAhead logs why the state of a partition was not read, if it was not.
func (c *Cluster) warnNotAhead(ctx context.Context, partition int, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	const text = "state of a partition cannot be read ahead; taking it over will take longer"
	if suppressed, due := c.reminders.Due(text, time.Now()); due {
		c.opts.Log.Warn(text, zap.Int("partition", partition), zap.Error(err), zap.Int("suppressed", suppressed))
	}
}
