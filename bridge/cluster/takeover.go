package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// take fences the owner before and restores what was committed. The cache is kept only where it is a part of that.
func (o *owner) take(ctx context.Context) (err error) {
	o.stats.taking(o.opts.now())
	o.log.Info("partition is taken over; its state is restored", zap.String("why", string(o.why)))
	err = o.restore(ctx)
	if gone(err) {
		o.log.Info("cache of the partition is thrown away; the whole state is restored", zap.Error(err))
		if err := o.cache.Reset(); err != nil {
			return err
		}
		err = o.restore(ctx)
	}
	if err != nil {
		return fmt.Errorf("take over the partition: %w", err)
	}
	if err := o.begin(); err != nil {
		return errors.Join(err, o.partition.Close())
	}
	o.stats.taken(o.opts.Clock, o.why, o.epoch(), o.cache.State(), o.processor)
	return nil
}

// epoch returns that of the ownership; 0: the broker tells none.
func (o *owner) epoch() uint64 {
	if progress, known := o.partition.(bridge.PartitionProgress); known {
		return progress.Epoch()
	}
	return 0
}

// gone reports whether what was kept of a state is of no use: it is read from its beginning.
func gone(err error) bool {
	return errors.Is(err, store.ErrOtherState) || errors.Is(err, bridge.ErrStateGone)
}

// restore fences the owner before and takes the rows that the cache does not have into it.
func (o *owner) restore(ctx context.Context) error {
	r := restorer{cache: o.cache, restored: o.stats.restored}
	partition, err := o.opts.Partitions.Take(ctx, o.number, o.cache.Position(), r.put)
	if err != nil {
		return err
	}
	if err := r.flush(); err != nil {
		return errors.Join(err, partition.Close())
	}
	o.partition = partition
	return nil
}

// begin has a processor go on with what the cache shows.
func (o *owner) begin() error {
	state := o.cache.State()
	o.clock, o.began = startClock(o.opts.Clock, state.Recorded)
	if state.Origin == 0 {
		state.Origin = rand.Uint64() | 1
	}
	o.swept = o.clock.running() - housekeepingInterval // what has passed while nobody owned it is due
	o.origin = o.clock.origin
	if err := o.newProcessor(o.began); err != nil {
		return err
	}
	o.beginBatch()
	return nil
}

// newProcessor makes a processor of what the cache shows, which was committed at a moment.
func (o *owner) newProcessor(now processor.Moment) (err error) {
	kept, err := o.cache.Kept()
	if err == nil {
		o.processor, err = processor.New(o.limits, o.cache, o.cache.State().CopyCounters(), kept, now)
	}
	return err
}

// requestTick writes a tick where the log's clock must be known, since holds are to end or housekeeping is due, and
// nothing else may come to tell it.
func (o *owner) requestTick(ctx context.Context) error {
	_, holding := o.processor.Deadline()
	due := holding || o.clock.running()-o.swept >= housekeepingInterval
	if o.ticked || !due || !o.clock.ended || o.clock.set {
		return nil
	}
	o.ticked = true
	if err := o.opts.Intake.Append(ctx, o.number, tick()); err != nil {
		return fmt.Errorf("write a tick into the intake: %w", err)
	}
	return nil
}

// calibrate learns the log's clock from the first record behind an end of the log. Holds that were measured with the
// clock of this replica until then are measured anew.
func (o *owner) calibrate(records []bridge.IntakeRecord) error {
	if len(records) == 0 || !o.clock.ended || o.clock.set {
		return nil
	}
	o.clock.recorded(records[0].Recorded)
	if _, holding := o.processor.Deadline(); !holding || o.clock.origin.Equal(o.origin) {
		return nil
	}
	o.began = o.clock.committed(o.cache.State().Recorded)
	if err := o.newProcessor(o.began); err != nil {
		return err
	}
	o.beginBatch()
	return nil
}
