package journal

import (
	"errors"
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
		time.Sleep(look)
		synctest.Wait()
		err := j.Append(t.Context(), push("b", 1e11, bridge.PhasePublish))
		if !errors.Is(err, bridge.ErrFull) || !strings.Contains(err.Error(), "MIN_FREE_BYTES") {
			t.Fatalf("got %v", err)
		}
		drain(t, j, 1)
		free.Store(o.MinFreeBytes)
		time.Sleep(look)
		synctest.Wait()
		add(t, j, push("b", 1e11, bridge.PhasePublish))
		drain(t, j, 1)
	})
}

// TestNoSpaceLeft: a disk that is full in spite of MIN_FREE_BYTES fails the journal, and what was answered is there when
// there is room again.
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
