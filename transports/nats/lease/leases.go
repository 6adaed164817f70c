package lease

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Leases are those of this replica. They implement bridge.Membership.
type Leases struct {
	opts Options

	// of the goroutine that renews them
	view    *view
	made    time.Time // when the bucket was created; zero: none was found yet
	settled time.Time // when partitions that have no key may be taken
	renewed time.Time // when the last renewal that has succeeded was sent
	own     uint64    // revision of this replica's key, by the last renewal
	due     time.Time // of the next renewal
	told    uint64    // revision of this replica's key, as the watch has told it

	confirming bool // the next renewal is to tell whether partitions that were lost are ours

	mu       sync.Mutex
	held     map[int]time.Time // until when each partition is ours
	failure  error             // why leases cannot be renewed; nil: they can
	returned []int             // by Next
	news     bool              // Next returns the same partitions once more
	alarm    bool              // Next returns the failure

	changed chan struct{} // has something when Next should look again
	asked   chan struct{} // has something when leases are to be renewed at once
	end     context.CancelFunc
	ended   chan struct{} // closed once nothing is renewed any more
}

// Join begins to share the partitions, in the background.
func Join(o Options) *Leases {
	ctx, end := context.WithCancel(context.Background())
	l := &Leases{opts: o, held: make(map[int]time.Time), end: end,
		changed: make(chan struct{}, 1), asked: make(chan struct{}, 1), ended: make(chan struct{})}
	l.view = newView(&l.opts)
	go l.run(ctx)
	return l
}

// run follows the bucket again and again, until ctx ends.
func (l *Leases) run(ctx context.Context) {
	defer close(l.ended)
	patience := l.opts.patience()
	for ctx.Err() == nil {
		begun := time.Now()
		err := l.follow(ctx, patience)
		if ctx.Err() != nil {
			return
		}
		l.fail(err)
		patience = min(2*patience, l.opts.settling())
		if l.renewed.After(begun) {
			patience = l.opts.patience()
		}
		select {
		case <-time.After(l.opts.pause()):
		case <-ctx.Done():
		}
	}
}

var (
	errWatchEnded = errors.New("the watch of the leases' bucket has ended")
	errWatchBlind = errors.New("the watch of the leases' bucket tells nothing")
)

// follow renews leases, and gives up and takes what the others' keys say, until something fails. Everything that fails
// is begun anew with another watch, which finds out, too, whether the bucket is another one.
func (l *Leases) follow(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	made, entries, err := l.opts.Bucket.Watch(ctx, patience)
	if err != nil {
		return err
	}
	l.begin(made)
	timer := time.NewTimer(l.opts.patience())
	defer timer.Stop()
	for {
		select {
		case e, open := <-entries:
			if !open {
				return errWatchEnded
			}
			if changed := l.see(e); !changed || !l.view.complete {
				continue
			}
		case <-timer.C:
		case <-l.asked:
			l.due, l.confirming = time.Now(), true
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := l.act(ctx); err != nil {
			return err
		}
		timer.Reset(l.rest())
	}
}

// begin looks at a bucket anew. If another one has taken the place of the one before, the others' leases are not in it
// yet.
func (l *Leases) begin(made time.Time) {
	now := time.Now()
	l.due, l.told, l.own, l.view.complete = now, 0, 0, false
	if l.made.Equal(made) {
		return
	}
	l.view = newView(&l.opts)
	if !l.made.IsZero() {
		l.settled = now.Add(l.opts.settling())
		l.opts.Log.Warn("bucket of the leases was deleted and created again; partitions that nobody claims in it are "+
			"taken in a moment", zap.Duration("after", l.opts.settling()))
	}
	l.made = made
}

// see takes an entry, and reports whether there is something to do.
func (l *Leases) see(e Entry) bool {
	changed := l.view.see(e, time.Now())
	if e.Key == replicaKeys+l.opts.ID {
		l.told = e.Revision
	}
	if n, is := partitionOf(e.Key); is && n < l.opts.Partitions && l.view.partitions[n].holder != l.opts.ID {
		l.drop(n)
	}
	return changed
}

// act renews the leases if that is due, and gives up and takes partitions.
func (l *Leases) act(ctx context.Context) error {
	if !l.view.complete {
		return errWatchBlind
	}
	if now := time.Now(); !now.Before(l.due) || l.late(now) {
		if err := l.renew(ctx); err != nil {
			return err
		}
	}
	l.view.expire(time.Now())
	return l.balance(ctx)
}

// late reports whether the last renewal is so long ago that what is known of others may be old: the process was
// stopped.
func (l *Leases) late(now time.Time) bool { return now.Sub(l.renewed) >= l.opts.late() }

// rest returns how long there is nothing to do unless something changes.
func (l *Leases) rest() time.Duration {
	now, next := time.Now(), l.due
	if end := l.view.nextEnd(); !end.IsZero() && end.Before(next) {
		next = end
	}
	if l.settled.After(now) && l.settled.Before(next) {
		next = l.settled
	}
	return next.Sub(now)
}

// balance gives up what is beyond our share, and takes what of it is free.
func (l *Leases) balance(ctx context.Context) error {
	share := l.view.share(l.opts.ID)
	var puts []Entry
	for n, s := range l.view.partitions {
		switch mine := slices.Contains(share, n); {
		case !mine && s.holder == l.opts.ID:
			l.drop(n)
			puts = append(puts, claim(n, ""))
		case mine && l.free(n):
			puts = append(puts, claim(n, l.opts.ID))
		}
	}
	return l.put(ctx, puts)
}

// free reports whether a partition may be taken.
func (l *Leases) free(n int) bool {
	switch s := l.view.partitions[n]; {
	case s.revision == 0:
		return !time.Now().Before(l.settled)
	case s.holder == l.opts.ID:
		return !l.Holds(n) // not by our own clock any more, and nobody has taken it
	default:
		return s.over
	}
}

// claim is the entry that makes a partition a holder's, in place of what is known of it.
func claim(n int, holder string) Entry { return Entry{Key: partitionKey(n), Holder: holder} }

// fail notes that leases cannot be renewed.
func (l *Leases) fail(err error) {
	l.mu.Lock()
	l.alarm = l.alarm || l.failure == nil
	l.failure = fmt.Errorf("leases of partitions cannot be renewed: %w", err)
	l.mu.Unlock()
	l.notify()
}
