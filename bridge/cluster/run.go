package cluster

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
)

// run is a replica that takes part: what it works on follows from the membership.
type run struct {
	c       *Cluster
	members bridge.Membership
	wg      sync.WaitGroup

	mu      sync.Mutex
	workers map[int]*worker       // by partition
	busy    map[int]chan struct{} // closed once the last user of a partition's cache has ended
	standby map[int]*worker       // that reads ahead for a partition of another replica
	fresh   chan struct{}         // closed while the membership is known; replaced when it is not
	known   bool
	begun   bool // partitions were given before
}

// worker is a partition that was given to this replica.
type worker struct {
	cancel context.CancelCauseFunc
	ended  chan struct{} // closed once it does nothing more: it was taken away, or fenced out
}

// Run takes part until the context ends: it works on the partitions that the membership gives, and leaves in the end,
// once what was under way is committed or given up. It returns the error of leaving.
func (c *Cluster) Run(ctx context.Context, members bridge.Membership) error {
	r := &run{c: c, members: members, workers: make(map[int]*worker), busy: make(map[int]chan struct{}),
		standby: make(map[int]*worker), fresh: make(chan struct{})}
	r.wg.Go(func() { r.standBy(ctx) })
	r.follow(ctx)
	r.assign(ctx, nil)
	r.wg.Wait()
	leaving, done := context.WithTimeout(context.WithoutCancel(ctx), c.opts.Grace)
	defer done()
	return members.Leave(leaving)
}

// graceful returns a context that ends so long after another one.
func graceful(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return longer, func() { stop(); cancel() }
}

// follow does what the membership says until the context ends.
func (r *run) follow(ctx context.Context) {
	var reminders bridge.Reminders
	pause := newBackoff(&r.c.opts)
	for ctx.Err() == nil {
		partitions, err := r.members.Next(ctx)
		if err == nil {
			pause.reset()
			r.assign(ctx, partitions)
			r.setFresh()
			continue
		}
		r.setStale()
		if suppressed, due := reminders.Due("membership", time.Now()); due && ctx.Err() == nil {
			r.c.opts.Log.Warn("membership of the replicas failing; partitions that are owned are worked on, and none is taken",
				zap.Error(err), zap.Int("suppressed", suppressed))
		}
		pause.wait(ctx)
	}
}

// setFresh notes that the membership is known.
func (r *run) setFresh() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.known {
		close(r.fresh)
	}
	r.known = true
}

// setStale notes that it is not known any more.
func (r *run) setStale() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known {
		r.fresh = make(chan struct{})
	}
	r.known = false
}

// awaitFresh waits until the membership is known.
func (r *run) awaitFresh(ctx context.Context) {
	r.mu.Lock()
	fresh := r.fresh
	r.mu.Unlock()
	select {
	case <-fresh:
	case <-ctx.Done():
	}
}

// assign works on these partitions and on no others. Those that it has worked on already go on.
func (r *run) assign(ctx context.Context, partitions []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p, w := range r.workers {
		if !slices.Contains(partitions, p) {
			w.cancel(errRebalanced)
			delete(r.workers, p)
		}
	}
	for _, p := range partitions {
		switch w := r.workers[p]; {
		case w != nil && w.over():
			r.workers[p] = r.begin(ctx, p, WhyAfterFence)
		case w == nil && r.begun:
			r.workers[p] = r.begin(ctx, p, WhyAssigned)
		case w == nil:
			r.workers[p] = r.begin(ctx, p, WhyStart)
		}
	}
	r.begun = r.begun || len(partitions) > 0
}

func (w *worker) over() bool { return closed(w.ended) }

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// begin begins to work on a partition.
func (r *run) begin(ctx context.Context, partition int, why Why) *worker {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &worker{cancel: cancel, ended: make(chan struct{})}
	if s := r.standby[partition]; s != nil {
		s.cancel(errRebalanced)
	}
	previous := r.busy[partition]
	r.busy[partition] = w.ended
	r.wg.Go(func() {
		defer close(w.ended)
		defer cancel(nil)
		if previous != nil {
			<-previous // it still has the cache open
		}
		r.work(ctx, partition, why)
	})
	return w
}

// work owns a partition again and again, until it is taken away or fenced out.
func (r *run) work(ctx context.Context, partition int, why Why) {
	stats, log := r.c.stats.of(partition), r.c.opts.Log.With(zap.Int("partition", partition))
	pause := newBackoff(&r.c.opts)
	var err error
	for ctx.Err() == nil {
		commits, cancel := graceful(ctx, r.c.opts.Grace)
		err = r.c.own(ctx, commits, partition, why)
		cancel()
		if whyEnded(ctx, err) != WhyError {
			break
		}
		owned := stats.owned(r.c.opts.now())
		if stats.failed(r.c.opts.Clock) {
			pause.reset()
		}
		log.Warn("partition failed and is taken anew", append(owned, zap.String("why", string(WhyError)),
			zap.Error(err), zap.Duration("after", pause.next))...)
		pause.wait(ctx)
		r.awaitFresh(ctx) // or it would be taken from whoever owns it by now
		why = WhyAfterError
	}
	ended := whyEnded(ctx, err)
	logGivenUp(log, stats.owned(r.c.opts.now()), ended, err)
	stats.gaveUp(ended, r.c.opts.Clock)
}

// backoff is a pause that doubles.
type backoff struct{ first, next, most time.Duration }

func newBackoff(o *Options) *backoff { return &backoff{o.Backoff, o.Backoff, o.BackoffMax} }

func (b *backoff) reset() { b.next = b.first }

// wait waits, and for longer the next time.
func (b *backoff) wait(ctx context.Context) {
	timer := time.NewTimer(b.next)
	defer timer.Stop()
	b.next = min(2*b.next, b.most)
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
