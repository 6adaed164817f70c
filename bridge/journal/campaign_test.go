package journal

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// batchSeeds is how many campaigns TestBatchCampaigns has.
var batchSeeds = flag.Uint64("batch.seeds", 0,
	"campaigns of commits that emit for many lanes, with crashes between; 0: 200, or a share")

// shareOf is how many cases of crashes, torn logs and flipped bits there are for each that is tried: all are, unless
// the tests shall be short, or the race detector watches. There they take five times as long, and as a search among
// what can be on a disk they run the same goroutines again and again.
func shareOf() int64 {
	switch {
	case raced:
		return 10
	case testing.Short():
		return 20
	}
	return 1
}

// seedsOf returns how many campaigns there are: as many as were asked for, or the share of all.
func seedsOf(asked, all uint64) uint64 {
	if asked > 0 {
		return asked
	}
	return all / uint64(shareOf())
}

// campaign is a journal with several lanes whose commits emit for many of them at once, a broker that takes some events
// and refuses others, and a power that goes. It knows what each lane has emitted and how far it is done with for good.
type campaign struct {
	t      *testing.T
	random *rand.Rand
	o      Options
	j      *Journal
	stall  func(*Journal) (release func())
	begun  bridge.Millis
	sent   []int    // callbacks of each lane, all answered
	taken  []uint64 // by the broker or the dead letters: the sequence that each lane has got to
	safe   []uint64 // the same, known to outlive the broker's power
	kept   keptEvents
}

// TestBatchCampaigns has lanes go on at different paces out of the same commits, through crashes, and wants each of
// them to come out whole and in order: nothing is missing before what has followed it, and nothing is left.
func TestBatchCampaigns(t *testing.T) {
	t.Parallel()
	for seed := range seedsOf(*batchSeeds, 200) {
		synctest.Test(t, func(t *testing.T) {
			const lanes = 4
			c := &campaign{t: t, random: rand.New(rand.NewPCG(seed, 11)), o: memory(), begun: bridge.MillisOf(time.Now()),
				sent: make([]int, lanes), taken: make([]uint64, lanes), safe: make([]uint64, lanes)}
			c.o.OutboxMemory = []int{16, 40, 10_000}[c.random.IntN(3)]
			if seed%2 == 1 {
				c.o.Keep, c.kept = 24*time.Hour, keptEvents{}
			}
			c.stall = stalls(&c.o)
			c.j = open(t, c.o)
			for range 40 {
				c.step()
			}
			c.finish()
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		})
	}
}

func (c *campaign) step() {
	switch c.random.IntN(10) {
	default:
		c.send()
	case 3, 4, 5:
		c.settle(false)
	case 6:
		c.trim()
	case 7:
		time.Sleep(time.Duration(c.random.IntN(2000)) * time.Millisecond)
	case 8:
		c.restart(c.random.IntN(3) > 0)
	}
	synctest.Wait()
}

// send has some callbacks answered, most of them by the same commit.
func (c *campaign) send() {
	done := make(chan error)
	n := 0
	release := c.stall(c.j) // the writer is busy until all wait
	for i := range c.sent {
		if c.random.IntN(3) == 0 {
			continue
		}
		a := push(fmt.Sprint(i), c.begun+bridge.Millis(c.sent[i]/2), bridge.PhasePublish+bridge.Phase(c.sent[i]%2))
		c.sent[i]++
		n++
		go func() { done <- c.j.Append(c.t.Context(), a) }()
	}
	synctest.Wait()
	release()
	for range n {
		if err := <-done; err != nil {
			c.t.Fatal(err)
		}
	}
}

// settle takes what may go at this moment. all: the broker takes everything.
func (c *campaign) settle(all bool) {
	for _, e := range c.next() {
		var i int
		if _, err := fmt.Sscan(e.Lane.Stream, &i); err != nil {
			c.t.Fatal(err)
		}
		n := ordinal(e.Sequence)
		if n > c.taken[i]+1 {
			c.t.Errorf("lane %d has got to %d, and %d comes out", i, c.taken[i], n)
		}
		s := bridge.Settlement{}
		switch chance := c.random.IntN(8); {
		case all || chance > 3:
		case chance == 0:
			s.DeadLetter = "too large"
		default:
			s.Retry = time.Duration(1+c.random.IntN(6000)) * time.Millisecond
		}
		if s.Retry == 0 {
			c.taken[i] = max(c.taken[i], n)
			c.kept.settle(e, s.DeadLetter == "")
		}
		c.j.outbox.Settle(e, s)
	}
}

// next returns what Next has now.
func (c *campaign) next() []*bridge.Event {
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Millisecond)
	defer cancel()
	events, err := c.j.outbox.Next(ctx)
	if c.j.Err() != nil {
		c.t.Fatal(err, c.j.Err())
	}
	return events
}

// trim is the only way out of the outbox: what was taken by then is at the broker for good.
func (c *campaign) trim() {
	if err := c.j.outbox.Trim(c.t.Context(), durable); err != nil {
		c.t.Fatal(err)
	}
	copy(c.safe, c.taken)
}

// restart ends the journal, or has the power go: of the broker too, at times, which loses what it could lose.
func (c *campaign) restart(power bool) {
	synctest.Wait()
	if power {
		share := []int{0, 50, 100}[c.random.IntN(3)]
		c.o.FS = c.o.FS.(*vfs.MemFS).CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: share, RNG: c.random})
		if c.random.IntN(2) == 0 {
			copy(c.taken, c.safe)
		}
	}
	closeJournal(c.t, c.j)
	c.j = open(c.t, c.o)
}

// finish has the broker take all that is left, and wants nothing more to be there.
func (c *campaign) finish() {
	defer func() { closeJournal(c.t, c.j) }()
	for n := 0; n < 100 && (n < 3 || c.j.outbox.Pending() > 0); n++ {
		time.Sleep(5 * time.Second)
		c.settle(true)
		c.trim()
		synctest.Wait()
	}
	for i, n := range c.sent {
		if c.taken[i] != uint64(n) {
			c.t.Errorf("lane %d: %d answered and %d have come out", i, n, c.taken[i])
		}
	}
	onDisk(c.t, c.j, 0, 0)
	c.kept.check(c.t, c.j)
	if broken := audit(c.j); broken != nil || c.j.outbox.Pending() != 0 || c.j.store.Outbox() != (processor.Usage{}) {
		c.t.Errorf("%q, %d pending, %+v", broken, c.j.outbox.Pending(), c.j.store.Outbox())
	}
}
