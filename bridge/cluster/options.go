package cluster

import (
	"math"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// Options is what a replica needs to know. Start from DefaultOptions.
type Options struct {
	Intake     bridge.IntakeLog
	Partitions bridge.Partitions

	// Limits are those of all partitions together: what is counted is divided by their number.
	Limits processor.Options

	// Where the caches lie, one folder each.
	Dir       string
	FS        store.FS
	OpenFiles int // of each cache

	// BatchInputs and BatchBytes are how much goes with one commit.
	BatchInputs int
	BatchBytes  int // of effects
	// Commits is how many partitions commit at once, and CommitWait how long one waits at most for others.
	Commits    int
	CommitWait time.Duration

	// ReadAhead is how often a replica reads what the owners of the other partitions have committed.
	ReadAhead time.Duration

	// Clock returns how long the program has run, by a clock that does not jump, and the wall clock.
	Clock func() (running time.Duration, wall time.Time)

	// Backoff is how long a partition that has failed waits before it is taken anew; it doubles up to BackoffMax.
	Backoff, BackoffMax time.Duration
	// Grace is how long a commit under way may still take when its partition goes to another replica.
	Grace time.Duration

	// Committed is told of each commit, once it is there, by the goroutine of its partition; it keeps nothing of eff.
	Committed func(partition int, eff *processor.Effects)
	// Attempted is likewise told of each attempt to commit events, however it has ended; it keeps nothing of events.
	Attempted func(events []*bridge.Event, took time.Duration, err error)

	Tracer bridge.Tracer // of publishing; nil: tracing is off
	Log    *zap.Logger
}

// DefaultOptions returns the product's defaults for caches in dir.
func DefaultOptions(dir string) Options {
	started := time.Now()
	return Options{
		Dir: dir, FS: store.Disk(), OpenFiles: 64,
		BatchInputs: 1000, BatchBytes: 4 << 20, Commits: max(2, runtime.GOMAXPROCS(0)),
		CommitWait: 100 * time.Millisecond, ReadAhead: 10 * time.Second,
		Clock:   func() (time.Duration, time.Time) { return time.Since(started), time.Now() },
		Backoff: 100 * time.Millisecond, BackoffMax: 5 * time.Second, Grace: 2 * time.Second,
		Committed: func(int, *processor.Effects) {}, Attempted: func([]*bridge.Event, time.Duration, error) {},
		Log: zap.NewNop(),
	}
}

// now returns how long the program has run.
func (o *Options) now() time.Duration {
	running, _ := o.Clock()
	return running
}

// processorOptions are those of one partition. There is no limit on dead letters: what would wait for one to be purged
// is the partition, and the command that purges it waits behind.
func (o *Options) processorOptions(partition int) processor.Options {
	p, n := o.Limits, o.Intake.Partitions()
	p.Partition = strconv.Itoa(partition)
	p.HeldMax = share(p.HeldMax, n)
	p.QuarantineMax = share(p.QuarantineMax, n)
	p.DedupeMax = max(1, p.DedupeMax/uint64(n))
	p.LanesCached = share(p.LanesCached, n)
	p.DeadLettersMax = math.MaxInt
	return p
}

// share is one partition's share of a limit.
func share(limit, partitions int) int { return max(min(limit, 1), limit/partitions) }

// cacheOptions are those of the cache of a partition.
func (o *Options) cacheOptions(partition int) store.CacheOptions {
	return store.CacheOptions{
		Dir: filepath.Join(o.Dir, "partition-"+strconv.Itoa(partition)), FS: o.FS, OpenFiles: o.OpenFiles,
		SessionEvents: o.Limits.SessionEvents,
		Now:           func() time.Time { _, wall := o.Clock(); return wall },
		Log:           o.Log.With(zap.Int("partition", partition)),
	}
}
