package lease

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestShare: replicas that come get their share at once, and the others keep the rest of what they had; one that leaves
// gives its own up at once.
func TestShare(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, m *memory) {
		a := join(t, m, "a", 12)
		time.Sleep(conflictPause)
		owned(t, 12, a)
		b := join(t, m, "b", 12)
		time.Sleep(conflictPause)
		owned(t, 12, a, b)
		had := append(a.partitions(), b.partitions()...)
		c := join(t, m, "c", 12)
		time.Sleep(conflictPause)
		owned(t, 12, a, b, c)
		for i, p := range []*member{a, b} {
			for _, n := range p.partitions() {
				if !slices.Contains(had[6*i:6*i+6], n) {
					t.Errorf("%s got %d although it had enough", p.opts.ID, n)
				}
			}
		}
		if err := b.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(conflictPause)
		owned(t, 12, a, c)
		if _, err := b.Next(t.Context()); !errors.Is(err, errLeft) {
			t.Errorf("who has left is answered %v", err)
		}
	})
}

// TestQuiet: replicas that have their shares write their keys once a renewal, and Next says nothing.
func TestQuiet(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, m *memory) {
		all := []*member{join(t, m, "a", 4), join(t, m, "b", 4), join(t, m, "c", 4)}
		time.Sleep(Time)
		owned(t, 4, all...)
		m.mu.Lock()
		before := m.puts
		m.mu.Unlock()
		lists := all[0].returned() + all[1].returned() + all[2].returned()
		time.Sleep(60 * time.Second)
		owned(t, 4, all...)
		if n := m.puts - before; n < 200 || n > 220 { // (3 replicas + 4 partitions) * 30
			t.Errorf("%d keys are written in a minute", n)
		}
		if n := all[0].returned() + all[1].returned() + all[2].returned() - lists; n != 0 {
			t.Errorf("Next has returned %d times", n)
		}
	})
}

// TestKilled: partitions of a replica that was killed are taken when its leases are over, not before.
func TestKilled(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, m *memory) {
		a := join(t, m, "a", 12)
		time.Sleep(700 * time.Millisecond) // so that they do not renew at the same time
		b, c := join(t, m, "b", 12), join(t, m, "c", 12)
		time.Sleep(20 * time.Second)
		owned(t, 12, a, b, c)
		a.kill()
		time.Sleep(Time - time.Since(a.renewed) - time.Millisecond)
		synctest.Wait()
		if n := len(b.partitions()) + len(c.partitions()); n != 8 {
			t.Errorf("they have %d partitions although the leases hold", n)
		}
		time.Sleep(10 * time.Millisecond)
		owned(t, 12, b, c)
		d := join(t, m, "d", 12) // which does not wait for the dead one
		time.Sleep(5 * time.Second)
		owned(t, 12, b, c, d)
	})
}

// TestAway: a replica that does not reach the servers loses its leases by its own clock, before another takes them.
func TestAway(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, m *memory) {
		a, b := join(t, m, "a", 4), join(t, m, "b", 4)
		time.Sleep(7 * time.Second)
		owned(t, 4, a, b)
		a.set(func() { a.away = true })
		for range int(3 * Time / (50 * time.Millisecond)) {
			time.Sleep(50 * time.Millisecond)
			for n := range 4 {
				if a.Holds(n) && b.Holds(n) {
					t.Fatalf("both have the lease of %d", n)
				}
			}
		}
		owned(t, 4, b)
		if has := a.partitions(); len(has) > 0 || a.errs == 0 {
			t.Errorf("it works on %v, and has told %d errors", has, a.errs)
		}
		a.set(func() { a.away = false })
		time.Sleep(3 * time.Second)
		owned(t, 4, a, b)
	})
}

// TestLeaveDuringARenewal: a replica that leaves while a renewal is under way, which is then stored and not answered,
// gives all its leases up at once.
func TestLeaveDuringARenewal(t *testing.T) {
	for _, keys := range []string{replicaKeys, partitionKeys} {
		t.Run(keys, func(t *testing.T) {
			bubble(t, func(t *testing.T, m *memory) {
				a, b := join(t, m, "a", 4), join(t, m, "b", 4)
				time.Sleep(3 * Time)
				owned(t, 4, a, b)
				a.set(func() { a.mute = keys })
				<-a.muted
				a.set(func() { a.mute = "" })
				if err := a.Leave(t.Context()); err != nil {
					t.Error(err)
				}
				a.dead = true
				owned(t, 4, b)
			})
		})
	}
}

// TestElection: while the servers choose a leader for the bucket, which takes up to 8 seconds, nobody loses anything;
// Next tells that nothing is known, and then the same partitions.
func TestElection(t *testing.T) {
	t.Parallel()
	for _, into := range []time.Duration{0, 500 * time.Millisecond, 1999 * time.Millisecond} {
		bubble(t, func(t *testing.T, m *memory) {
			all := []*member{join(t, m, "a", 4), join(t, m, "b", 4)}
			time.Sleep(20*time.Second + into)
			owned(t, 4, all...)
			had := [][]int{all[0].partitions(), all[1].partitions()}
			lists, stay := all[0].returned(), m.stay(t)
			m.setAway(true)
			time.Sleep(8 * time.Second)
			m.setAway(false)
			time.Sleep(2 * Time)
			owned(t, 4, all...)
			for i, p := range all {
				if !slices.Equal(p.partitions(), had[i]) || p.lapsed > 0 || p.errs != 1 {
					t.Errorf("%s has %v after %v, %d empty lists, %d errors",
						p.opts.ID, p.partitions(), had[i], p.lapsed, p.errs)
				}
			}
			stay()
			if all[0].returned() != lists+1 {
				t.Errorf("Next has returned %d times", all[0].returned()-lists)
			}
		})
	}
}

// TestLongOutage: leases end by the clock of who has them, and everybody gets back what it had.
func TestLongOutage(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, m *memory) {
		a, b := join(t, m, "a", 4), join(t, m, "b", 4)
		time.Sleep(20 * time.Second)
		stay := m.stay(t)
		m.setAway(true)
		time.Sleep(time.Minute)
		if len(a.partitions())+len(b.partitions()) > 0 {
			t.Errorf("they work on %v and %v without a lease", a.partitions(), b.partitions())
		}
		m.setAway(false)
		time.Sleep(4 * time.Second)
		owned(t, 4, a, b)
		stay()
	})
}

// TestBlind: a replica whose watch tells nothing takes nothing from those that live, and finds another watch.
func TestBlind(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, m *memory) {
		a, b := join(t, m, "a", 4), join(t, m, "b", 4)
		time.Sleep(20 * time.Second)
		stay := m.stay(t)
		b.set(func() { maps.DeleteFunc(m.watches, func(w *watch, _ bool) bool { return w.client == b.client }) })
		time.Sleep(5 * time.Second)
		stay()
		if err := a.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		owned(t, 4, b)
	})
}

// TestBucketLost: when the bucket is made anew nobody loses a partition to those who were quicker to claim in it.
func TestBucketLost(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, m *memory) {
		var all []*member
		for _, id := range []string{"a", "b", "c"} {
			all = append(all, join(t, m, id, 12))
			time.Sleep(700 * time.Millisecond) // so that one finds the new bucket first
		}
		time.Sleep(25 * time.Second)
		owned(t, 12, all...)
		stay := m.stay(t)
		m.forget()
		time.Sleep(3 * Time)
		owned(t, 12, all...)
		stay()
		all[0].kill()
		time.Sleep(Time + time.Second)
		owned(t, 12, all[1:]...)
	})
}

// TestLost: after an owner was fenced, Next returns its partitions once more if the lease is still this replica's.
func TestLost(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, m *memory) {
		a := join(t, m, "a", 4)
		time.Sleep(3 * time.Second)
		lists := a.returned()
		a.Lost()
		time.Sleep(2 * time.Second)
		if a.returned() != lists+1 {
			t.Errorf("Next has returned %d times", a.returned()-lists)
		}
		m.setAway(true)
		a.Lost()
		time.Sleep(2 * time.Second)
		if a.returned() != lists+1 {
			t.Error("Next returns partitions although nothing is known of the leases")
		}
		m.setAway(false)
		time.Sleep(2 * time.Second)
		if a.returned() != lists+2 {
			t.Errorf("Next has returned %d times", a.returned()-lists)
		}
	})
}
