package journal

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
)

// volume is a disk in memory of a size, on which a file takes what is allocated for it.
type volume struct {
	vfs.FS
	size uint64

	mu        sync.Mutex
	allocated map[string]int64 // by path
}

// allocating tells the volume what is allocated for the file.
type allocating struct {
	vfs.File
	of   *volume
	path string
}

func (f allocating) Preallocate(offset, length int64) error {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	f.of.allocated[f.path] = max(f.of.allocated[f.path], offset+length)
	return nil
}

// Fd makes the store believe in a real file: nothing is allocated for others.
func (f allocating) Fd() uintptr { return 1 }

func (v *volume) Create(path string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := v.FS.Create(path, c)
	if !strings.HasSuffix(path, ".log") {
		return f, err
	}
	return allocating{f, v, path}, err
}

func (v *volume) ReuseForWrite(old, path string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := v.FS.ReuseForWrite(old, path, c)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.allocated[path] = v.allocated[old]
	return allocating{f, v, path}, err
}

func (v *volume) GetDiskUsage(dir string) (vfs.DiskUsage, error) {
	names, err := v.List(dir)
	v.mu.Lock()
	defer v.mu.Unlock()
	left := int64(v.size)
	for _, name := range names {
		path := v.PathJoin(dir, name)
		if file, err := v.Stat(path); err == nil {
			left -= max(file.Size(), v.allocated[path])
		}
	}
	return vfs.DiskUsage{AvailBytes: uint64(max(left, 0)), TotalBytes: v.size}, err
}

// TestSmallVolume: a volume that is a little larger than MIN_FREE_BYTES goes on to take callbacks for as long as
// nothing waits: the store's own logs leave room.
func TestSmallVolume(t *testing.T) {
	o := memory()
	v := &volume{FS: o.FS, size: o.MinFreeBytes + 78<<20, allocated: make(map[string]int64)}
	o.FS = v
	j := open(t, o)
	defer closeJournal(t, j)
	for round := range 30 {
		var wg sync.WaitGroup
		for i := range 64 {
			a := push(fmt.Sprintf("%d-%d", round, i), 1e12, bridge.PhasePublish)
			a.Event.Data = incompressible(round*64+i, 8<<10)
			wg.Go(func() {
				if err := j.Append(t.Context(), a); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		wg.Wait()
		drain(t, j, 64)
		if err := j.outbox.Trim(t.Context(), durable); err != nil {
			t.Fatal(err)
		}
		j.capacity.measure()
		if err := j.Ready(); err != nil {
			names, _ := v.List(o.Dir)
			t.Fatalf("round %d, nothing waits: %v; the files are %v, allocated %v", round, err, names, v.allocated)
		}
	}
}

// TestVolumeSizes: a volume that can never have MIN_FREE_BYTES free is refused, one that leaves little is warned of,
// and an operator's command opens either.
func TestVolumeSizes(t *testing.T) {
	for _, c := range []struct {
		beyond  int64 // MIN_FREE_BYTES
		refused bool
		warned  string
	}{
		{-1 << 20, true, ""}, {0, true, ""}, {78 << 20, false, "78 MiB"}, {advisedVolume - 1, false, "255 MiB"},
		{advisedVolume, false, ""}, {1 << 40, false, ""},
	} {
		core, logs := observer.New(zapcore.WarnLevel)
		o := memory()
		closeJournal(t, open(t, o))
		o.Log = zap.New(core)
		o.FS = &volume{FS: o.FS, size: uint64(int64(o.MinFreeBytes) + c.beyond), allocated: make(map[string]int64)}
		j, err := Open(o)
		if errors.Is(err, ErrVolumeTooSmall) != c.refused {
			t.Errorf("%d: %v", c.beyond, err)
		}
		if c.refused && !strings.Contains(err.Error(), "MIN_FREE_BYTES is 512 MiB") {
			t.Errorf("%d: %v", c.beyond, err)
		}
		if err == nil {
			closeJournal(t, j)
		}
		warned := ""
		if all := logs.All(); len(all) > 0 {
			warned = fmt.Sprint(all[0].ContextMap()["journal"])
		}
		if warned != c.warned {
			t.Errorf("%d: the warning says %q, want %q", c.beyond, warned, c.warned)
		}
		quiet, err := OpenOffline(o, ReadWrite)
		if err != nil {
			t.Fatalf("%d: %v", c.beyond, err)
		}
		closeJournal(t, quiet)
	}
}

// TestFullIsLoggedAtTheStart: the first lines of a journal that is opened on a full disk say so.
func TestFullIsLoggedAtTheStart(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	o, free := memory(), &atomic.Uint64{}
	o.FS, o.Log = smallDisk{o.FS, free}, zap.New(core)
	j := open(t, o)
	defer closeJournal(t, j)
	if lines := logs.All(); len(lines) != 2 || !strings.HasPrefix(lines[1].Message, "journal full") {
		t.Errorf("%v", lines)
	}
}

// TestFullIsLogged: one line when the journal becomes full, one when it has room again, with figures and the setting's
// name.
func TestFullIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		o, free := memory(), &atomic.Uint64{}
		free.Store(o.MinFreeBytes)
		o.FS, o.Log, o.MaxBytes = smallDisk{o.FS, free}, zap.New(core), 64<<10
		j := open(t, o)
		defer closeJournal(t, j)
		pass := func(want ...string) {
			t.Helper()
			time.Sleep(3 * measureInterval)
			synctest.Wait()
			var got []string
			for _, l := range logs.TakeAll() {
				got = append(got, fmt.Sprint(l.Message, " ", l.ContextMap()))
			}
			if len(got) != len(want) {
				t.Fatalf("logged %q", got)
			}
			for i := range want {
				for part := range strings.SplitSeq(want[i], "|") {
					if !strings.Contains(got[i], part) {
						t.Errorf("%q does not say %q", got[i], part)
					}
				}
			}
		}
		pass("journal open|MIN_FREE_BYTES:512 MiB|free:512 MiB")
		free.Store(o.MinFreeBytes - 5<<20)
		pass("journal full|the disk has 507 MiB free, MIN_FREE_BYTES is 512 MiB")
		time.Sleep(bridge.ReminderInterval)
		pass("journal still full|the disk has 507 MiB free|since:1m")
		free.Store(o.MinFreeBytes)
		pass("space again|free:512 MiB|since:1m")
		free.Store(10 << 20)
		pass("journal full|the disk has 10 MiB free")
		free.Store(o.MinFreeBytes)
		pass("space again")
		a := push("a", 1e11, bridge.PhasePublish)
		a.Event.Data = incompressible(1, 64<<10)
		add(t, j, a)
		pass("journal full|it holds 64 KiB, JOURNAL_MAX_BYTES is 64 KiB")
		drain(t, j, 1)
		if err := j.outbox.Trim(t.Context(), durable); err != nil {
			t.Fatal(err)
		}
		pass("space again")
	})
}

// TestFreeSpaceMayBeUnknown: the log says so of a disk that does not tell it.
func TestFreeSpaceMayBeUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		o := memory()
		o.Log = zap.New(core)
		closeJournal(t, open(t, o))
		opened := logs.FilterMessageSnippet("journal open").All()
		if len(opened) != 1 || opened[0].ContextMap()["free"] != "unknown" {
			t.Errorf("logged %v", opened)
		}
	})
}
