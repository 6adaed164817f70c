package main

import (
	"testing"
	"time"
)

// scaleUse is what replicas have done under full load, and the processor time that it took.
type scaleUse struct {
	callbacks      float64
	taken          float64 // of them, by replicas that own nothing
	commits        float64
	sender, broker time.Duration
	owners, others time.Duration // replicas that own partitions, and the others
}

type scaleUses []scaleUse

// costs returns what explains the processor time of all best.
func (all scaleUses) costs() (c scaleCosts) {
	var taken float64
	for _, r := range all {
		taken += r.taken
		c.accept += r.others
		c.send += time.Duration(float64(r.sender) / r.callbacks / float64(len(all)))
	}
	c.accept = time.Duration(float64(c.accept) / max(1, taken))
	c.store, c.transact = all.fit(func(r *scaleUse) (time.Duration, float64) { return r.broker, r.callbacks })
	c.apply, c.commit = all.fit(func(r *scaleUse) (time.Duration, float64) {
		return r.owners - time.Duration(r.callbacks-r.taken)*c.accept, r.callbacks
	})
	return c
}

// fit splits processor time into what a callback and what a transaction costs: the line through the times of a callback
// by the transactions for one, with the least squares.
func (all scaleUses) fit(of func(*scaleUse) (used time.Duration, callbacks float64)) (each, commit time.Duration) {
	n, x, y, xx, xy := float64(len(all)), 0.0, 0.0, 0.0, 0.0
	for i := range all {
		used, callbacks := of(&all[i])
		at, cost := all[i].commits/callbacks, float64(used)/callbacks
		x, y, xx, xy = x+at, y+cost, xx+at*at, xy+at*cost
	}
	slope := max(0, (n*xy-x*y)/(n*xx-x*x))
	slope = min(slope, y/x) // neither is less than nothing
	return time.Duration((y - slope*x) / n), time.Duration(slope)
}

// wait sets what an answer and a transaction take, in milliseconds, beyond processor time.
func (c *scaleCosts) wait(answer, transaction float64) {
	c.acknowledge = max(0, time.Duration(answer*1e6)-c.send-c.accept-c.store/2)
	c.settle = max(0, time.Duration(transaction*1e6)-c.commit-c.transact)
}

// TestScaleCosts: what was used is split into the costs that it was made of, also where nothing is left for one
// of them.
func TestScaleCosts(t *testing.T) {
	t.Parallel()
	want := scaleCosts{send: 30_000, accept: 80_000, apply: 7_000, commit: 1_500_000, store: 50_000, transact: 2_500_000}
	var uses scaleUses
	for n, commits := range []int{10, 100, 1000} {
		callbacks := 10_000 * (n + 1)
		taken := callbacks / 2 * (n % 2)
		uses = append(uses, scaleUse{
			callbacks: float64(callbacks), taken: float64(taken), commits: float64(commits),
			sender: times(callbacks, want.send), others: times(taken, want.accept),
			broker: times(callbacks, want.store) + times(commits, want.transact),
			owners: times(callbacks-taken, want.accept) + times(callbacks, want.apply) + times(commits, want.commit),
		})
	}
	got := uses.costs()
	got.wait(2, 5)
	want.acknowledge, want.settle = 2_000_000-30_000-80_000-25_000, time.Millisecond
	if !roughly(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	uses = scaleUses{{callbacks: 100, commits: 10, broker: 1000}, {callbacks: 100, commits: 20, broker: 500}}
	if got := uses.costs(); got.transact != 0 || got.store != 7 {
		t.Errorf("where more transactions cost less, one costs %d and a callback %d", got.transact, got.store)
	}
}

// roughly reports whether costs are the same to a nanosecond.
func roughly(a, b scaleCosts) bool {
	for _, off := range []time.Duration{a.send - b.send, a.accept - b.accept, a.apply - b.apply, a.commit - b.commit,
		a.store - b.store, a.transact - b.transact, a.acknowledge - b.acknowledge, a.settle - b.settle} {
		if off < -1 || off > 1 {
			return false
		}
	}
	return true
}
