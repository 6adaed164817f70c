package journal

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"livebridge/bridge"
	"livebridge/bridge/store"
	"livebridge/bridge/store/storetest"
)

var errDisk = errors.New("input/output error")

// failing is a disk whose nth operation that writes fails; once, or from then on for good.
type failing struct {
	nth    int64
	once   bool
	healed atomic.Bool // for the time being
	count  atomic.Int64
	hit    atomic.Bool
}

// MaybeError is asked before each operation. It lets those on the log and the commit marker fail: elsewhere Pebble may
// end the program by a panic in the background, which no test outlives; TestDiskFailsUnderTheProgram has it.
func (f *failing) MaybeError(o errorfs.Op) error {
	ours := strings.HasSuffix(o.Path, ".log") || strings.HasSuffix(o.Path, store.MarkerName)
	if o.Kind.ReadOrWrite() != errorfs.OpIsWrite || !ours || f.healed.Load() {
		return nil
	}
	n := f.count.Add(1)
	if n == f.nth || n > f.nth && f.nth > 0 && !f.once {
		f.hit.Store(true)
		return errDisk
	}
	return nil
}

func (f *failing) String() string { return "failing" }

// use opens a journal and appends callbacks, with a restart on the way, for as long as it lets us, and
// returns how many were answered. Nothing is answered any more once something was not.
func (f *failing) use(t *testing.T, disk *vfs.MemFS, n int) (answered int) {
	t.Helper()
	o := memory()
	o.FS = errorfs.Wrap(disk, f)
	for life := range 2 {
		f.healed.Store(life > 0) // an Open of Pebble that fails behind its recovery leaves goroutines that panic
		j, err := Open(o)
		f.healed.Store(false)
		if err != nil {
			return answered
		}
		var failure error
		for i := range n {
			err := j.Append(
				t.Context(),
				push("a", bridge.Millis(1e12+(life*n+i)/2), bridge.PhasePublish+bridge.Phase((life*n+i)%2)),
			)
			switch {
			case err == nil && failure != nil:
				t.Fatalf("operation %d fails: a callback is answered after one that was not: %v", f.nth, failure)
			case err != nil:
				failure = err
			default:
				answered++
			}
		}
		o.Registerer = memory().Registerer
		if err := j.Close(); err != nil {
			abandon(j)
			return answered
		}
		if failure != nil {
			t.Fatalf("operation %d fails: after %v the journal was closed without a word", f.nth, failure)
		}
	}
	return answered
}

// abandon ends what the store of a failed journal does in the background, as far as it lets itself be ended. The
// program would be gone.
func abandon(j *Journal) {
	if j.Err() != nil {
		_ = j.store.Discard()
	}
}

// TestErrorAtEveryOperation lets each single operation that writes fail in turn, once and for good. Whatever was
// answered is there afterwards, both if what failed has been stored all the same and if it has not.
func TestErrorAtEveryOperation(t *testing.T) {
	t.Parallel()
	const callbacks = 4
	whole := &failing{}
	if n := whole.use(t, vfs.NewCrashableMem(), callbacks); n != 2*callbacks {
		t.Fatalf("%d callbacks were answered", n)
	}
	failures := 0
	for nth := int64(1); nth <= whole.count.Load(); nth++ {
		for _, once := range []bool{true, false} {
			disk, f := vfs.NewCrashableMem(), &failing{nth: nth, once: once}
			answered := f.use(t, disk, callbacks)
			f.healed.Store(true)
			if !f.hit.Load() {
				continue // Pebble tidies up in the background: not every run has the same number of operations
			}
			if answered < 2*callbacks {
				failures++
			}
			for _, stored := range []int{0, 100} {
				after := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: stored, RNG: fixed()})
				if events, _ := found(t, after); len(events) < answered {
					t.Fatalf(
						"operation %d fails (once: %v), %d %% of the unsynced is stored: %d answered and %d there: %q",
						nth,
						once,
						stored,
						answered,
						len(events),
						events,
					)
				}
			}
		}
	}
	t.Logf("%d operations, in %d of the runs a callback was not taken", whole.count.Load(), failures)
}

// TestFailedFlush: a table that cannot be written fails the journal, at once and not again and again; what was answered
// is in the log.
func TestFailedFlush(t *testing.T) {
	disk, full := vfs.NewCrashableMem(), &atomic.Bool{}
	tries := make(chan struct{}, 2)
	o := memory()
	o.FS = errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if !full.Load() || !strings.HasSuffix(op.Path, ".sst") || op.Kind != errorfs.OpCreate {
			return nil
		}
		select {
		case tries <- struct{}{}:
		default:
		}
		return errDisk
	}))
	j := open(t, o)
	add(t, j, many(1, 4)...)
	full.Store(true)
	if _, err := j.store.Flush(); err != nil {
		t.Fatal(err)
	}
	<-tries
	select {
	case <-j.Failed():
	case <-tries:
		t.Fatal("a flush has failed and is tried again")
	}
	if err := j.Close(); !errors.Is(err, errDisk) {
		t.Errorf("closed with %v", err)
	}
	left := disk.CrashClone(vfs.CrashCloneCfg{})
	o.FS = errorfs.Wrap(left, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && strings.HasSuffix(op.Path, ".sst") && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return errDisk
		}
		return nil
	}))
	if _, err := Open(o); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), o.Dir) {
		t.Errorf("opened on the same disk: %v", err)
	}
	full.Store(false)
	abandon(j)
	o.FS = disk.CrashClone(vfs.CrashCloneCfg{})
	j = open(t, o)
	defer closeJournal(t, j)
	inOrder(t, drain(t, j, 4), 1)
}

// TestTornLog cuts the log behind each of its bytes, as a loss of power can, and puts what a disk may leave behind the
// cut: nothing, zeros, old bytes of something else. Everything answered before that byte was written is there.
func TestTornLog(t *testing.T) {
	t.Parallel()
	disk := vfs.NewCrashableMem()
	o := memory()
	o.FS = disk
	j := open(t, o)
	path := logOf(t, disk, o.Dir)
	var sizes []int64 // of the log when the callback of this number had been answered
	for i := range 6 {
		add(t, j, push("a", bridge.Millis(1e12+i/2), bridge.PhasePublish+bridge.Phase(i%2)))
		sizes = append(sizes, sizeOf(t, disk, path))
	}
	left := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: fixed()})
	closeJournal(t, j)
	old := slices.Repeat([]byte{0xa5, 0x01, 0x5a, 0x00}, 60)
	for cut := sizes[len(sizes)-1]; cut >= 0; cut -= shareOf() { // the whole log is always among them
		answered := 0
		for answered < len(sizes) && sizes[answered] <= cut {
			answered++
		}
		behind := [][]byte{nil, make([]byte, 240), old}[cut%3]
		torn := left.CrashClone(vfs.CrashCloneCfg{})
		if err := torn.Remove(torn.PathJoin(o.Dir, store.MarkerName)); err != nil { // it is younger than the cut
			t.Fatal(err)
		}
		storetest.Rewrite(t, torn, path, func(content []byte) []byte { return append(content[:cut:cut], behind...) })
		events, _ := found(t, torn)
		if len(events) < answered {
			t.Fatalf(
				"the log is cut behind %d of %d bytes, then %q: %d answered before and %d there: %q",
				cut,
				sizes[len(sizes)-1],
				behind,
				answered,
				len(events),
				events,
			)
		}
		inOrder(t, events, 1)
	}
	t.Logf("cut behind each of %d bytes, or one of %d", sizes[len(sizes)-1], shareOf())
}

// logOf returns the path of the log that is written to.
func logOf(t *testing.T, disk vfs.FS, dir string) (path string) {
	t.Helper()
	names, err := disk.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	for _, name := range names {
		if strings.HasSuffix(name, ".log") {
			path = disk.PathJoin(dir, name)
		}
	}
	if path == "" {
		t.Fatalf("%q has no log", names)
	}
	return path
}
