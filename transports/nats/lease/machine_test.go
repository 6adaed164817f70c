package lease

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// step is something that happens to replicas, and how long it is until the next one.
type step struct {
	Do     string
	Member int // of those that were there, by number
	For    time.Duration
	Then   time.Duration
}

// TestMachine: whatever happens to replicas, no two have the lease of a partition at the same time, and once nothing
// happens any more each partition has an owner and the shares are even.
func TestMachine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		partitions := rapid.IntRange(1, 9).Draw(rt, "partitions")
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 12).Draw(rt, "steps")
		var problem error
		synctest.Test(t, func(t *testing.T) { problem = play(t, partitions, steps) })
		if problem != nil {
			rt.Fatal(problem)
		}
	})
}

func drawStep(t *rapid.T) step {
	return step{
		Do:     rapid.SampledFrom([]string{"join", "join", "leave", "kill", "away", "outage"}).Draw(t, "do"),
		Member: rapid.IntRange(0, 5).Draw(t, "member"),
		For:    time.Duration(rapid.IntRange(0, 30_000).Draw(t, "for")) * time.Millisecond,
		Then:   time.Duration(rapid.IntRange(0, 15_000).Draw(t, "then")) * time.Millisecond,
	}
}

// play returns what is wrong.
func play(t *testing.T, partitions int, steps []step) error {
	m := newMemory()
	all := []*member{join(t, m, "m0", partitions)}
	for _, s := range steps {
		p := all[s.Member%len(all)]
		switch {
		case s.Do == "join" && len(all) < 6:
			all = append(all, join(t, m, fmt.Sprint("m", len(all)), partitions))
		case s.Do == "leave" && s.Member > 0 && !p.dead:
			_ = p.Leave(t.Context()) // an error is what an outage makes of it
			p.kill()
		case s.Do == "kill" && s.Member > 0:
			p.kill()
		case s.Do == "away":
			p.set(func() { p.away = true })
			time.AfterFunc(s.For, func() { p.set(func() { p.away = false }) })
		case s.Do == "outage":
			m.setAway(true)
			time.AfterFunc(s.For, func() { m.setAway(false) })
		}
		if err := apart(all, partitions, s.Then); err != nil {
			return err
		}
	}
	if err := apart(all, partitions, 30*time.Second+3*Time); err != nil {
		return err
	}
	synctest.Wait()
	for _, p := range all {
		if !p.dead {
			return checkShares(partitions, all)
		}
	}
	return nil
}

// apart lets time pass, and returns an error if two have the same lease.
func apart(all []*member, partitions int, d time.Duration) error {
	const tick = 100 * time.Millisecond
	for ; d >= 0; d -= tick {
		time.Sleep(tick)
		synctest.Wait()
		for n := range partitions {
			var owner *member
			for _, p := range all {
				switch {
				case p.dead || !p.Holds(n):
				case owner != nil:
					return fmt.Errorf("%s and %s have the lease of %d", owner.opts.ID, p.opts.ID, n)
				default:
					owner = p
				}
			}
		}
	}
	return nil
}
