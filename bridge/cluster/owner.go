package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// housekeepingInterval is how often the owner looks after what grows old, sweepLanes how many lanes it looks at, and
// sweepSessions of how many lanes it searches the sessions for those whose end is missing.
const (
	housekeepingInterval = time.Second
	sweepLanes           = 256
	sweepSessions        = 1024
)

// owner is one ownership of a partition: from its fence to the first error. It is used by one goroutine.
type owner struct {
	opts   *Options
	number int // of the partition
	log    *zap.Logger
	stats  *partitionStats
	why    Why // it takes the partition

	partition     bridge.Partition
	commitContext context.Context // outlives that of reading by Options.Grace
	cache         *store.Cache
	processor     *processor.Processor
	clock         *clock
	limits        processor.Options
	slots         slots
	began         processor.Moment // of what was committed last, which the batch begins with
	batch         batch
	swept         time.Duration // when housekeeping was done last
	ticked        bool          // a tick was written
	origin        time.Time     // the clock's, when holds were restored
}

// own takes the partition and works on it until the context ends or something fails, and returns why.
func (c *Cluster) own(ctx, commitContext context.Context, number int, why Why) (err error) {
	o := &owner{
		opts: &c.opts, number: number, why: why, stats: c.stats.of(number), commitContext: commitContext,
		limits: c.opts.processorOptions(number), slots: c.slots,
		log: c.opts.Log.With(zap.Int("partition", number)),
	}
	if o.cache, err = store.OpenCache(c.opts.cacheOptions(number)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.cache.Close()) }()
	if err := o.take(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.partition.Close()) }()
	o.log.Info("partition taken over", o.stats.takeover()...)
	for {
		if err := o.turn(ctx); err != nil {
			return err
		}
	}
}

// turn reads what waits in the intake, decides it and commits it.
func (o *owner) turn(ctx context.Context) error {
	if err := o.requestTick(ctx); err != nil {
		return err
	}
	asked := o.clock.running() // first: what was in the log by then has been read, if its end was
	records, end, err := o.partition.Read(ctx, o.patience(asked))
	if len(records) > 0 {
		free, waited := o.slots.take(ctx)
		defer free()
		if waited {
			records, end, err = o.readOn(ctx, records)
		}
	}
	if err != nil {
		return fmt.Errorf("read the intake: %w", err)
	}
	o.noteRead(records, end)
	if err := o.calibrate(records); err != nil {
		return err
	}
	for i := range records {
		if err := o.add(&records[i]); err != nil {
			return err
		}
		if o.full() {
			if err := o.flush(); err != nil {
				return err
			}
		}
	}
	if err := o.passTime(asked, end); err != nil {
		return err
	}
	return o.flush()
}

// readOn adds to the records what has come since they were read.
func (o *owner) readOn(ctx context.Context, records []bridge.IntakeRecord) ([]bridge.IntakeRecord, bool, error) {
	more, end, err := o.partition.Read(ctx, leastPatience)
	return append(records, more...), end, err
}

// noteRead has the stats show how much waits. Where the broker does not say what lies behind, it is one input at least,
// unless the end was reached.
func (o *owner) noteRead(records []bridge.IntakeRecord, end bool) {
	backlog := uint64(len(records))
	if progress, known := o.partition.(bridge.PartitionProgress); known {
		backlog += progress.Behind()
	} else if !end {
		backlog++
	}
	if len(records) > 0 {
		o.stats.read(backlog, time.Duration(o.clock.committed(records[0].Recorded).At))
		return
	}
	o.stats.waits(backlog, o.clock.running())
}

// leastPatience keeps an owner that cannot see the end of the intake from asking for it without a pause.
const leastPatience = time.Millisecond

// patience is how long to wait for inputs: until the next deadline, or the next housekeeping.
func (o *owner) patience(now time.Duration) time.Duration {
	wait := housekeepingInterval - (now - o.swept)
	if deadline, holding := o.processor.Deadline(); holding && o.clock.set {
		wait = min(wait, time.Duration(deadline)-now)
	}
	return max(wait, leastPatience)
}

// full reports whether the batch is large enough that more should go with the next commit.
func (o *owner) full() bool {
	return o.batch.records >= o.opts.BatchInputs || o.batch.effects.Bytes() > o.opts.BatchBytes || o.batch.remembered
}

// add takes a record of the intake into the batch.
func (o *owner) add(r *bridge.IntakeRecord) error {
	if r.Position < o.batch.next {
		return fmt.Errorf("record %d of the intake lies before position %d, up to which the state has it; "+
			"was the intake log made anew?", r.Position, o.batch.next)
	}
	read, err := readIntakeRecord(r.Value)
	if errors.Is(err, errIntakeVersion) {
		return fmt.Errorf("record %d of the intake: %w", r.Position, err)
	}
	now := o.clock.recorded(r.Recorded)
	if o.cache.State().Commits == 0 && o.batch.records == 0 { // the first record of all
		o.batch.floor = processor.FirstFloor(r.Recorded)
		o.processor.Counters().Floor, o.batch.effects.Counters.Floor = o.batch.floor, o.batch.floor
	}
	o.batch.next, o.batch.records, o.batch.effects.Now = r.Position+1, o.batch.records+1, now
	if err != nil {
		o.stats.unreadable()
		o.log.Error("record of the intake cannot be read and is left out; livebridge has not written it",
			zap.Uint64("position", r.Position), zap.Error(err))
		return nil
	}
	if read.kind == recordTick {
		return nil
	}
	o.batch.remembered = o.batch.remembered || read.kind == recordMemory
	s := step{value: r.Value, input: inputAt(read.input, now)}
	if read.kind == recordCommand {
		s.command = &read.command
	}
	return o.apply(s)
}

// inputAt returns the input with its moment.
func inputAt(in *processor.Input, now processor.Moment) processor.Input {
	stamped := *in
	stamped.Now = now
	return stamped
}

// passTime lets holds end and forgets what has had its time. Holds end only where the intake was read to its end: what
// they wait for may lie there; and where the log's clock is known. Without that, limits are kept all the same.
func (o *owner) passTime(asked time.Duration, end bool) error {
	if end {
		o.clock.readToEnd(asked)
	}
	if !end || !o.clock.set {
		return o.keepLimits()
	}
	now := o.clock.reach(asked)
	if err := o.apply(step{input: processor.Input{Action: processor.Expire, Now: now}}); err != nil {
		return err
	}
	if time.Duration(now.At)-o.swept < housekeepingInterval {
		return nil
	}
	o.swept = time.Duration(now.At)
	return o.forget(now)
}

// forget forgets what has had its time, and tells of sessions whose end is missing.
func (o *owner) forget(now processor.Moment) (err error) {
	in := processor.Input{Action: processor.Forget, Now: now}
	if in.Idle, err = o.cache.IdleLanes(now, sweepLanes); err != nil {
		return err
	}
	if o.limits.SessionEvents && o.limits.SessionStaleAfter > 0 {
		in.Unended, err = o.cache.UnendedLanes(now, sweepSessions, o.limits.SessionStaleAfter)
	}
	if err != nil {
		return err
	}
	return o.apply(step{input: in})
}

// keepLimits releases what is held beyond HELD_MAX, at a moment at which no hold is over.
func (o *owner) keepLimits() error {
	deadline, holding := o.processor.Deadline()
	if !holding || o.processor.Holding() <= o.limits.HeldMax {
		return nil
	}
	now := o.batch.effects.Now
	before := now
	if over := now.At - deadline; over >= 0 {
		before = processor.Moment{At: deadline - 1, Wall: now.Wall.Add(-time.Duration(over) - 1)}
	}
	return o.apply(step{input: processor.Input{Action: processor.Expire, Now: before}})
}

// flush commits the batch, if there is anything in it, and begins another.
func (o *owner) flush() error {
	if !o.batch.empty() {
		if err := o.commit(); err != nil {
			return err
		}
	}
	o.beginBatch()
	return nil
}

// beginBatch begins a batch behind what is committed.
func (o *owner) beginBatch() {
	o.batch.reset(o.cache.State().Next)
	o.batch.effects.Now, o.batch.effects.Counters = o.began, *o.processor.Counters()
}
