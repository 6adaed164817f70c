package lease

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"
)

// errLeft says that this replica takes part no more.
var errLeft = errors.New("this replica has given its leases up")

// Next implements bridge.Membership. While leases cannot be renewed it returns the error once; the partitions are then
// returned anew once they can. A lease that ends meanwhile ends by itself. After Leave it returns an error at once.
func (l *Leases) Next(ctx context.Context) ([]int, error) {
	for {
		select {
		case <-l.ended:
			return nil, errLeft
		default:
		}
		partitions, end, news, err := l.look()
		if news || err != nil {
			return partitions, err
		}
		timer := time.NewTimer(time.Until(end))
		select {
		case <-l.changed:
		case <-l.ended:
		case <-timer.C:
		case <-ctx.Done():
			err = ctx.Err()
		}
		timer.Stop()
		if err != nil {
			return nil, err
		}
	}
}

// look returns what Next returns, or that there is no news, and when a lease may end.
func (l *Leases) look() (partitions []int, end time.Time, news bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	partitions, end = l.valid()
	changed := !slices.Equal(partitions, l.returned)
	switch {
	case changed:
		l.opts.Log.Info("partitions leased", zap.Ints("partitions", partitions), zap.String("replica", l.opts.ID))
		l.alarm = l.failure != nil // Next says again that nothing is known
		l.returned = partitions
	case l.alarm:
		l.alarm = false
		return nil, end, false, l.failure
	}
	news = changed || l.news && l.failure == nil
	if news {
		l.news = false
	}
	return slices.Clone(partitions), end, news, nil
}

// valid returns the partitions whose leases have not ended, and when the first of them ends.
func (l *Leases) valid() (partitions []int, end time.Time) {
	now := time.Now()
	end = now.Add(l.opts.Time)
	for n, until := range l.held {
		if now.Before(until) {
			partitions = append(partitions, n)
			if until.Before(end) {
				end = until
			}
		}
	}
	slices.Sort(partitions)
	return partitions, end
}

// partitions returns those that are ours.
func (l *Leases) partitions() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	partitions, _ := l.valid()
	return partitions
}

// Holds reports whether a partition is leased to this replica now.
func (l *Leases) Holds(partition int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(l.held[partition])
}

// Lost says that an owner of this process was fenced. If the lease can be renewed all the same, Next returns the
// partitions once more: whoever fenced it may be a zombie that has died, and nothing else would tell.
func (l *Leases) Lost() {
	time.AfterFunc(l.opts.patience(), func() {
		select {
		case l.asked <- struct{}{}:
		default:
		}
	})
}

// gain notes a lease that was written at a moment.
func (l *Leases) gain(key string, at time.Time) {
	n, _ := partitionOf(key)
	l.mu.Lock()
	l.held[n] = at.Add(l.opts.Time)
	l.mu.Unlock()
	l.notify()
}

// drop notes that a partition is not ours any more.
func (l *Leases) drop(n int) {
	l.mu.Lock()
	_, had := l.held[n]
	delete(l.held, n)
	l.mu.Unlock()
	if had {
		l.notify()
	}
}

// recovered notes that leases were renewed. Next returns the partitions anew if they could not be before, or if that
// was to be confirmed.
func (l *Leases) recovered(confirmed bool) {
	l.mu.Lock()
	l.news = l.news || confirmed || l.failure != nil
	l.failure, l.alarm = nil, false
	l.mu.Unlock()
	l.notify()
}

// notify has Next look again.
func (l *Leases) notify() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Leave implements bridge.Membership: the others are told at once that all partitions are free. First they learn that
// this replica takes none.
func (l *Leases) Leave(ctx context.Context) error {
	l.end()
	<-l.ended
	l.mu.Lock()
	clear(l.held)
	failure := l.failure
	l.mu.Unlock()
	if l.view.replicas[l.opts.ID].over {
		return nil // it has left
	}
	if failure != nil {
		return failure
	}
	if err := l.writeReplica(ctx, ""); err != nil {
		return fmt.Errorf("give the leases up: %w", err)
	}
	for range 2 { // a key with a write of ours that was not answered is known after the first
		if err := l.put(ctx, l.claims("")); err != nil {
			return fmt.Errorf("give the leases up: %w", err)
		}
	}
	return nil
}

// claims are writes of the keys that are ours, as far as is known, with another holder.
func (l *Leases) claims(holder string) (puts []Entry) {
	for n, s := range l.view.partitions {
		if s.holder == l.opts.ID {
			puts = append(puts, claim(n, holder))
		}
	}
	return puts
}
