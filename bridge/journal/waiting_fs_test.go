package journal

import (
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"livebridge/bridge"
)

// TestWaitsForFileDescriptors: while no file can be opened, what needs one waits, a new log of the store included.
// Nothing fails, and all goes on once there are file descriptors again.
func TestWaitsForFileDescriptors(t *testing.T) {
	o := memory()
	var exhausted atomic.Bool
	var refused atomic.Int64
	opens := []errorfs.OpKind{errorfs.OpCreate, errorfs.OpOpen, errorfs.OpOpenDir, errorfs.OpReuseForWrite, errorfs.OpList}
	disk := o.FS
	o.FS = errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if !exhausted.Load() || !slices.Contains(opens, op.Kind) {
			return nil
		}
		refused.Add(1)
		return syscall.EMFILE
	}))
	j := open(t, o)
	exhausted.Store(true)
	const callbacks = 3000 // more than one log has room for
	answered := make(chan error, 1)
	go func() {
		for i := range callbacks {
			if err := j.Append(t.Context(), push(fmt.Sprint("s", i), bridge.Millis(1_700_000_000_000),
				bridge.PhasePublish)); err != nil {
				answered <- err
				return
			}
		}
		answered <- nil
	}()
	for end := time.Now().Add(30 * time.Second); refused.Load() == 0; time.Sleep(time.Millisecond) {
		select {
		case err := <-answered:
			t.Fatalf("nothing had to wait: %v", err)
		default:
		}
		if time.Now().After(end) {
			t.Fatal("no file was asked for")
		}
	}
	exhausted.Store(false)
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if n := j.outbox.Pending(); n != callbacks {
		t.Errorf("%d of %d events are in the outbox", n, callbacks)
	}
	closeJournal(t, j)
	o.FS = disk
	j = open(t, o)
	if n := j.outbox.Pending(); n != callbacks {
		t.Errorf("%d of %d events are in the outbox after a restart", n, callbacks)
	}
	closeJournal(t, j)
}
