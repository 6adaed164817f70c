package journal

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"livebridge/bridge"
)

// powerSeeds is how many campaigns TestPowerCampaigns has: go test ./bridge/journal -run Campaigns -power.seeds 20000
var powerSeeds = flag.Uint64("power.seeds", 0,
	"campaigns of two crashes, each with reopen and check; 0: 1000, or a share")

// powered is a journal's life on a disk that loses its power at a chosen operation: just before it, with a share of
// what was not synced.
type powered struct {
	disk    *vfs.MemFS
	after   int64 // operations until the power goes
	share   int
	random  *rand.Rand
	gone    atomic.Bool               // the power; what is answered from now on does not count
	left    atomic.Pointer[vfs.MemFS] // the disk as it is found afterwards
	count   atomic.Int64
	letting bool // acknowledge and trim what comes out
}

// MaybeError is asked before each operation on the disk that changes it. A part of what was not synced is kept at
// operations on the log only: file systems keep the order of what happens to a directory, which the disk in memory does
// not.
func (p *powered) MaybeError(o errorfs.Op) error {
	counts := p.share == 0 || p.share == 100 || strings.HasSuffix(o.Path, ".log")
	if counts && o.Kind.ReadOrWrite() == errorfs.OpIsWrite && p.count.Add(1) == p.after {
		p.gone.Store(true)
		p.left.Store(p.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: p.share, RNG: p.random}))
	}
	return nil
}

func (p *powered) String() string { return "power" }

// live appends n callbacks of one stream, and a recording beside each, and returns how many of either were answered
// before the power went.
func (p *powered) live(t *testing.T, from, n int) (answered int) {
	t.Helper()
	o := memory()
	o.FS = errorfs.Wrap(p.disk, p)
	j := open(t, o)
	defer closeJournal(t, j)
	for i := from; i < from+n; i++ {
		add(t, j, push("a", bridge.Millis(1e12+i/2), bridge.PhasePublish+bridge.Phase(i%2)))
		if !p.gone.Load() {
			answered++
		}
		if p.letting && i%4 == 3 {
			drain(t, j, j.outbox.Pending())
			if err := j.outbox.Trim(t.Context(), durable); err != nil {
				t.Fatal(err)
			}
		}
	}
	return answered
}

// found returns what lies on the disk after the power has gone: the sequence that the stream goes on with.
func found(t *testing.T, disk *vfs.MemFS) (events []string, next string) {
	t.Helper()
	o := memory()
	o.FS = disk
	j := open(t, o)
	defer closeJournal(t, j)
	events = drain(t, j, j.outbox.Pending())
	add(t, j, push("a", 2e12, bridge.PhaseNone))
	return events, strings.Fields(drain(t, j, 1)[0])[1]
}

// TestPowerAtEveryOperation cuts the power before each single operation on the disk in turn, keeping all, half or
// nothing of what was not synced, and looks for everything that was answered.
func TestPowerAtEveryOperation(t *testing.T) {
	t.Parallel()
	const callbacks = 6
	whole := &powered{disk: vfs.NewCrashableMem(), after: -1}
	whole.live(t, 0, callbacks)
	for after := int64(1); after <= whole.count.Load(); after++ {
		for _, share := range []int{0, 50, 100} {
			p := &powered{
				disk:   vfs.NewCrashableMem(),
				after:  after,
				share:  share,
				random: rand.New(rand.NewPCG(uint64(after), 0)),
			}
			answered := p.live(t, 0, callbacks)
			if p.left.Load() == nil {
				continue // Pebble tidies up in the background: not every run has the same number of operations
			}
			events, _ := found(t, p.left.Load())
			if len(events) < answered {
				t.Fatalf(
					"power lost at operation %d, %d %% of the unsynced kept: %d answered and %d there: %q",
					after,
					share,
					answered,
					len(events),
					events,
				)
			}
			inOrder(t, events, 1)
		}
	}
	t.Logf("%d operations", whole.count.Load())
}

// TestPowerCampaigns loses the power again and again, at random operations, of a journal whose outbox is trimmed: the
// sequence tells that nothing answered is missing, even of what has gone.
func TestPowerCampaigns(t *testing.T) {
	t.Parallel()
	for seed := range seedsOf(*powerSeeds, 1000) {
		random := rand.New(rand.NewPCG(seed, 7))
		disk, at := vfs.NewCrashableMem(), 0
		for life := range 2 {
			n := 2 + random.IntN(8)
			p := &powered{
				disk:    disk,
				after:   1 + random.Int64N(30),
				share:   random.IntN(101),
				random:  random,
				letting: random.IntN(2) == 0,
			}
			answered := p.live(t, at, n)
			if disk = p.left.Load(); disk == nil {
				disk = p.disk
			}
			events, next := found(t, disk.CrashClone(vfs.CrashCloneCfg{}))
			var sequence int
			if _, err := fmt.Sscan(next, &sequence); err != nil || sequence <= at+answered {
				t.Fatalf(
					"seed %d, life %d: %d were answered before and %d in it, and the stream goes on with %s\n%q",
					seed,
					life,
					at,
					answered,
					next,
					events,
				)
			}
			at = sequence - 1
		}
	}
}

// TestFlippedBits flips a bit of each byte of each file of a journal that was closed, one after the other: it is not
// opened, or it has every event, or it says while reading that it is broken. It never has less without a word.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	disk := vfs.NewCrashableMem()
	o := memory()
	o.FS = disk
	j := open(t, o)
	add(t, j, many(2, 10)...)
	flushed, err := j.store.Flush() // one half in a table, the other in the log
	if err != nil {
		t.Fatal(err)
	}
	<-flushed
	add(t, j, push("b", 1e12, bridge.PhasePublish), push("b", 1e12, bridge.PhaseDone))
	closeJournal(t, j)
	flipAll(t, disk, events(t, disk))
}

// TestFlippedBitsAfterACrash is the same for a journal that was not closed, whose log ends as a crash right after the
// last answer leaves it.
func TestFlippedBitsAfterACrash(t *testing.T) {
	t.Parallel()
	disk := vfs.NewCrashableMem()
	var left *vfs.MemFS
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.FS = disk
		j := open(t, o)
		add(t, j, many(2, 10)...)
		synctest.Wait()
		left = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: fixed()})
		closeJournal(t, j)
	})
	flipAll(t, left, events(t, left))
}

// flipAll flips bits of each file in turn and looks for the events that are wanted.
func flipAll(t *testing.T, disk *vfs.MemFS, want []string) {
	t.Helper()
	dir := memory().Dir
	names, err := disk.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	flips, reported := 0, 0
	for _, name := range names {
		path := disk.PathJoin(dir, name)
		size := sizeOf(t, disk, path)
		for at := int64(0); at < size; at += shareOf() * (1 + size/300) {
			broken := disk.CrashClone(vfs.CrashCloneCfg{})
			flip(t, broken, path, at)
			flips++
			got, err := tryEvents(t, broken)
			switch {
			case err != nil:
				reported++
			case !slices.Equal(got, want):
				t.Fatalf("%s, byte %d of %d: %d of %d events are there and nothing is said", name, at, size, len(got), len(want))
			}
		}
	}
	t.Logf("%d bits flipped in %d files, %d reported, the others change nothing", flips, len(names), reported)
}

// events returns everything in the outbox of the journal on the disk.
func events(t *testing.T, disk *vfs.MemFS) []string {
	t.Helper()
	got, err := tryEvents(t, disk.CrashClone(vfs.CrashCloneCfg{}))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func tryEvents(t *testing.T, disk *vfs.MemFS) (got []string, err error) {
	t.Helper()
	o := memory()
	o.FS = disk
	j, err := Open(o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := j.Close(); closeErr != nil {
			err = errors.Join(err, closeErr)
			abandon(j)
		}
	}()
	for n := j.outbox.Pending(); len(got) < n; {
		ctx, cancel := untilFailed(t, j)
		some, err := j.outbox.Next(ctx)
		cancel()
		if err != nil {
			return nil, errors.Join(err, j.Err())
		}
		for _, e := range some {
			got = append(got, line1(e)+string(e.Data))
			j.outbox.Settle(e, bridge.Settlement{})
		}
	}
	slices.Sort(got)
	return got, nil
}

// fixed returns random numbers that are the same every time.
func fixed() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
