package lease

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// atOnce is how many requests are under way at the same time.
const atOnce = 64

// renew writes this replica's key and the keys of its partitions.
func (l *Leases) renew(ctx context.Context) error {
	begun := time.Now()
	if l.told < l.own && begun.Sub(l.renewed) >= l.opts.patience() {
		return errWatchBlind // our own last renewal was not told
	}
	if err := l.renewReplica(ctx); err != nil {
		return err
	}
	if !l.renewed.IsZero() && l.late(begun) {
		l.view.forgive(begun)
	}
	l.renewed, l.due = begun, begun.Add(l.opts.renewal())
	var puts []Entry
	for _, n := range l.partitions() {
		puts = append(puts, claim(n, l.opts.ID))
	}
	if err := l.put(ctx, puts); err != nil {
		return err
	}
	l.recovered(l.confirming)
	l.confirming = false
	return nil
}

// errOtherBucket says that the bucket has forgotten what it has told.
var errOtherBucket = errors.New("the bucket of the leases is not the one that it was")

// renewReplica writes this replica's key.
func (l *Leases) renewReplica(ctx context.Context) error {
	if err := l.writeReplica(ctx, l.opts.ID); err != nil {
		return fmt.Errorf("renew the key of this replica: %w", err)
	}
	l.own = l.view.revision(replicaKeys + l.opts.ID)
	return nil
}

// writeReplica writes this replica's key, with its id or, when it leaves, with nothing. Nobody else writes it: a
// conflict is with a write of ours that was not answered.
func (l *Leases) writeReplica(ctx context.Context, holder string) error {
	e := Entry{Key: replicaKeys + l.opts.ID, Holder: holder}
	r := l.exchange(ctx, e)
	if errors.Is(r.err, ErrConflict) && r.found.Revision > l.view.revision(e.Key) {
		l.view.see(r.found, time.Now())
		r = l.exchange(ctx, e)
	}
	switch {
	case errors.Is(r.err, ErrConflict):
		return errOtherBucket
	case r.err != nil:
		return r.err
	}
	l.view.see(r.wrote, time.Now())
	return nil
}

// result is what became of a write.
type result struct {
	wrote Entry
	found Entry // with ErrConflict: what stands there instead
	err   error
}

// put writes keys of partitions at once, and takes what has become of them. Those that are ours are so from the moment
// at which that was sent.
func (l *Leases) put(ctx context.Context, puts []Entry) error {
	begun, results := time.Now(), make([]result, len(puts))
	var work errgroup.Group
	work.SetLimit(atOnce)
	for i, e := range puts {
		work.Go(func() error { results[i] = l.exchange(ctx, e); return nil })
	}
	_ = work.Wait() // errors are in the results
	var failed error
	for i, e := range puts {
		if err := l.settle(e, &results[i], begun); err != nil {
			failed = err
		}
	}
	return failed
}

// settle takes what has become of a write that was sent at a moment.
func (l *Leases) settle(e Entry, r *result, sent time.Time) error {
	switch {
	case errors.Is(r.err, ErrConflict):
		return l.lost(r.found)
	case r.err != nil:
		return fmt.Errorf("write key %s: %w", e.Key, r.err)
	}
	l.view.see(r.wrote, time.Now())
	if e.Holder == l.opts.ID {
		l.gain(e.Key, sent)
	}
	return nil
}

// lost takes what stands in a key that had another revision than was known.
func (l *Leases) lost(found Entry) error {
	if found.Revision < l.view.revision(found.Key) {
		return errOtherBucket
	}
	l.see(found)
	l.due = time.Now().Add(l.opts.pause()) // if it is ours, with a revision that is known by now
	return nil
}

// exchange writes a key, or reads what stands there instead.
func (l *Leases) exchange(ctx context.Context, e Entry) (r result) {
	r.wrote, r.err = l.write(ctx, e)
	if errors.Is(r.err, ErrConflict) {
		var err error
		if r.found, err = l.read(ctx, e.Key); err != nil {
			r.err = err
		}
	}
	return r
}

func (l *Leases) write(ctx context.Context, e Entry) (Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, l.opts.patience())
	defer cancel()
	e.Revision = l.view.revision(e.Key) // nobody changes the view meanwhile
	var err error
	e.Revision, err = l.opts.Bucket.Put(ctx, e)
	return e, err
}

func (l *Leases) read(ctx context.Context, key string) (Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, l.opts.patience())
	defer cancel()
	return l.opts.Bucket.Get(ctx, key)
}
