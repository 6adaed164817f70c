package journal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"livebridge/bridge"
)

// smallDisk is a disk that tells how much of it is free, which the one in memory does not.
type smallDisk struct {
	vfs.FS
	free *atomic.Uint64
}

func (d smallDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: d.free.Load()}, nil
}

// TestDiskFillsUp: while less than MIN_FREE_BYTES is free nothing is taken and publishing goes on; once there is room
// callbacks are taken again, without a restart.
func TestDiskFillsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, free := memory(), &atomic.Uint64{}
		free.Store(o.MinFreeBytes)
		o.FS = smallDisk{o.FS, free}
		j := open(t, o)
		defer closeJournal(t, j)
		add(t, j, push("a", 1e11, bridge.PhasePublish))
		free.Store(o.MinFreeBytes - 1)
		time.Sleep(measureInterval)
		synctest.Wait()
		err := j.Append(t.Context(), push("b", 1e11, bridge.PhasePublish))
		if !errors.Is(err, bridge.ErrFull) || !strings.Contains(err.Error(), "MIN_FREE_BYTES") {
			t.Fatalf("got %v", err)
		}
		drain(t, j, 1)
		free.Store(o.MinFreeBytes)
		time.Sleep(measureInterval)
		synctest.Wait()
		add(t, j, push("b", 1e11, bridge.PhasePublish))
		drain(t, j, 1)
	})
}

// diskOfSize is a disk in memory with so many bytes, of which the journal's files leave the rest free.
type diskOfSize struct {
	vfs.FS
	size uint64
}

func (d diskOfSize) GetDiskUsage(dir string) (vfs.DiskUsage, error) {
	names, err := d.List(dir)
	left := d.size
	for _, name := range names {
		if file, err := d.Stat(d.PathJoin(dir, name)); err == nil {
			left -= min(left, uint64(file.Size()))
		}
	}
	return vfs.DiskUsage{AvailBytes: left}, err
}

// fewBytes returns the size of a disk that is soon full.
func fewBytes() uint64 {
	if testing.Short() {
		return 24 << 20
	}
	return 64 << 20
}

// TestDiskIsGivenBack: once what has filled the disk is published or purged, the disk has room again, and callbacks are
// taken.
func TestDiskIsGivenBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		reason bridge.Reason
		clear  func(t *testing.T, j *Journal, n int)
	}{
		{"published", "", func(t *testing.T, j *Journal, n int) {
			drain(t, j, n)
			if err := j.outbox.Trim(t.Context(), durable); err != nil {
				t.Fatal(err)
			}
		}},
		{"purged", bridge.ReasonTampered, func(t *testing.T, j *Journal, n int) {
			for first := uint64(1); first <= uint64(n); first += 100 {
				if _, err := j.Purge(bridge.QuarantineQueue, numbers(first, 100)); err != nil {
					t.Fatal(err)
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := memory()
				o.OutboxMemory, o.MinFreeBytes, o.PublishQuarantine = 64, 1<<20, false
				o.FS = diskOfSize{o.FS, fewBytes()}
				j := open(t, o)
				defer closeJournal(t, j)
				c.clear(t, j, fillDisk(t, j, c.reason))
				time.Sleep(time.Minute)
				synctest.Wait()
				if err := j.Ready(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestDiskIsNotGivenBack: a disk that fails while it is to give back what was published fails the journal, which
// closes.
func TestDiskIsNotGivenBack(t *testing.T) {
	t.Parallel()
	o, free, broken := memory(), &atomic.Uint64{}, &atomic.Bool{}
	free.Store(o.MinFreeBytes)
	o.OutboxMemory = 1
	o.FS = errorfs.Wrap(smallDisk{o.FS, free}, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && op.Kind == errorfs.OpCreate && strings.HasSuffix(op.Path, ".sst") {
			return syscall.ENOSPC
		}
		return nil
	}))
	j := open(t, o)
	add(t, j, many(2, 4)...)
	drain(t, j, 8)
	free.Store(0)
	broken.Store(true)
	if err := j.outbox.Trim(t.Context(), durable); err != nil {
		t.Fatal(err)
	}
	<-j.Failed()
	closed := make(chan error)
	go func() { closed <- j.Close() }()
	select {
	case err := <-closed:
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("closed with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the journal does not close")
	}
}

// fillDisk sends callbacks until the journal is full and returns how many it has taken.
func fillDisk(t *testing.T, j *Journal, reason bridge.Reason) (n int) {
	for ; j.Ready() == nil; n++ {
		a := push(fmt.Sprint("s", n%8), bridge.Millis(1e11+n), bridge.PhasePublish)
		a.Reason, a.Signature.Sum, a.Event.Data = reason, [16]byte{byte(n), byte(n >> 8)}, incompressible(n, 64<<10)
		add(t, j, a)
		time.Sleep(measureInterval)
		synctest.Wait()
	}
	return n
}

func numbers(first uint64, n int) (out []uint64) {
	for i := range n {
		out = append(out, first+uint64(i))
	}
	return out
}

// incompressible returns a JSON string of so many bytes.
func incompressible(seed, size int) []byte {
	b := make([]byte, size/2-1)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return fmt.Appendf(nil, "%q", hex.EncodeToString(b))
}

// TestNoSpaceLeft: a disk that is full in spite of MIN_FREE_BYTES fails the journal, and what was answered is there
// when there is room again.
func TestNoSpaceLeft(t *testing.T) {
	disk, full := vfs.NewCrashableMem(), &atomic.Bool{}
	o := memory()
	o.FS = errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return syscall.ENOSPC
		}
		return nil
	}))
	j := open(t, o)
	add(t, j, many(1, 4)...)
	full.Store(true)
	if err := j.Append(t.Context(), push("b", 1e12, bridge.PhasePublish)); !errors.Is(err, bridge.ErrFailed) {
		t.Fatalf("got %v", err)
	}
	<-j.Failed()
	if err := j.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("closed with %v", err)
	}
	full.Store(false)
	o.FS = disk.CrashClone(vfs.CrashCloneCfg{})
	j = open(t, o)
	defer closeJournal(t, j)
	inOrder(t, drain(t, j, 4), 1)
}

// TestReadOnlyDisk: a directory that cannot be written to is an error that names it.
func TestReadOnlyDisk(t *testing.T) {
	o := memory()
	o.FS = errorfs.Wrap(o.FS, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return &os.PathError{Op: "open", Path: op.Path, Err: syscall.EROFS}
		}
		return nil
	}))
	if _, err := Open(o); !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), "DATA_DIR "+o.Dir) {
		t.Errorf("got %v", err)
	}
}
