package lease

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// conflictPause is how long a replica may wait after two have reached for one partition, as happens when the keys of
// one that leaves are told them in turns.
const conflictPause = Time/48 + time.Millisecond

// member is a replica of a test.
type member struct {
	*client
	*Leases
	cancel context.CancelFunc
	dead   bool

	mu     sync.Mutex
	has    []int // as Next has said last
	errs   int   // of Next
	lists  int   // that Next has returned
	lapsed int   // of those, lists that are empty
}

// join begins a replica. All of it runs on the clock of the test's bubble.
func join(t *testing.T, m *memory, id string, partitions int) *member {
	t.Helper()
	c := &client{memory: m, muted: make(chan struct{}, 1)}
	o := Options{ID: id, Partitions: partitions, Time: Time, Bucket: c, Log: zap.NewNop()}
	p := &member{client: c, Leases: Join(o)}
	ctx, cancel := context.WithCancel(t.Context())
	p.cancel = cancel
	go p.follow(ctx)
	t.Cleanup(p.kill)
	return p
}

// follow calls Next as the cluster does.
func (p *member) follow(ctx context.Context) {
	for ctx.Err() == nil {
		has, err := p.Next(ctx)
		p.mu.Lock()
		switch {
		case err != nil:
			p.errs++
		default:
			p.has, p.lists = has, p.lists+1
			if len(has) == 0 {
				p.lapsed++
			}
		}
		p.mu.Unlock()
		if errors.Is(err, errLeft) {
			return
		}
	}
}

// kill ends the replica without a word to the others.
func (p *member) kill() {
	p.end()
	<-p.ended
	p.cancel()
	p.dead = true
}

func (p *member) partitions() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.has)
}

// returned is how often Next has returned.
func (p *member) returned() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lists
}

// owned fails unless every partition is one member's and shares differ by one at most.
func owned(t *testing.T, partitions int, all ...*member) {
	t.Helper()
	synctest.Wait()
	if err := checkShares(partitions, all); err != nil {
		t.Fatalf("after %v: %v", time.Since(all[0].memory.made), err)
	}
}

func checkShares(partitions int, all []*member) error {
	owner, living := make(map[int]int), slices.DeleteFunc(slices.Clone(all), func(p *member) bool { return p.dead })
	for i, p := range living {
		has := p.partitions()
		if len(has) < partitions/len(living) || len(has) > (partitions+len(living)-1)/len(living) {
			return fmt.Errorf("%s has %v of %d partitions for %d", p.opts.ID, has, partitions, len(living))
		}
		for _, n := range has {
			if other, taken := owner[n]; taken {
				return fmt.Errorf("partition %d is %s's and %s's", n, living[other].opts.ID, p.opts.ID)
			}
			if owner[n] = i; !p.Holds(n) {
				return fmt.Errorf("%s has not the lease of %d", p.opts.ID, n)
			}
		}
	}
	if len(owner) != partitions {
		return fmt.Errorf("%d of %d partitions have an owner", len(owner), partitions)
	}
	return nil
}

// bubble runs a test on a clock of its own.
func bubble(t *testing.T, f func(t *testing.T, m *memory)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newMemory()) })
}
