package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"go.uber.org/zap"

	"livebridge/bridge"
)

func queueOptions(fs FS) QueueOptions {
	return QueueOptions{Dir: "intake", FS: fs, MaxBytes: 1 << 20, Log: zap.NewNop()}
}

func openQueue(t testing.TB, fs FS) *Queue {
	t.Helper()
	q, err := OpenQueue(queueOptions(fs))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// contents returns what is in a queue.
func contents(t testing.TB, q *Queue) (all []string) {
	t.Helper()
	inputs, err := q.Read(0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range inputs {
		all = append(all, string(in.Input))
	}
	return all
}

// TestQueueSurvivesACrash: what Add has returned for is there after the power went, in its order, and what was removed
// may be.
func TestQueueSurvivesACrash(t *testing.T) {
	fs := vfs.NewCrashableMem()
	q := openQueue(t, fs)
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			for i := range 10 {
				if err := q.Add(t.Context(), fmt.Appendf(nil, "%d:%d", n, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	left := fs.CrashClone(vfs.CrashCloneCfg{})
	bytes := q.Bytes()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = openQueue(t, left)
	seen := make(map[string]int)
	for _, text := range contents(t, q) {
		lane, n, _ := strings.Cut(text, ":")
		if n != fmt.Sprint(seen[lane]) {
			t.Fatalf("of lane %s %s comes where %d should", lane, n, seen[lane])
		}
		seen[lane]++
	}
	if len(seen) != 100 || q.Bytes() != bytes {
		t.Errorf("%d lanes, %d bytes; want 100 and %d", len(seen), q.Bytes(), bytes)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestQueueGoesOn removes some, closes, and goes on: numbers rise, and what was removed stays so.
func TestQueueGoesOn(t *testing.T) {
	fs := vfs.NewMem()
	q := openQueue(t, fs)
	for _, text := range []string{"a", "b", "c"} {
		if err := q.Add(t.Context(), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	inputs, err := q.Read(0, 2)
	if err != nil || len(inputs) != 2 {
		t.Fatal(inputs, err)
	}
	if err := errors.Join(q.Remove(t.Context(), inputs), q.Close()); err != nil {
		t.Fatal(err)
	}
	if err := q.Add(t.Context(), []byte("z")); !errors.Is(err, bridge.ErrStopping) {
		t.Errorf("added to a closed queue: %v", err)
	}
	q = openQueue(t, fs)
	defer q.Close()
	if err := q.Add(t.Context(), []byte("d")); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(contents(t, q)); got != "[c d]" {
		t.Error(got)
	}
	if last, _ := q.Read(inputs[1].Number, 10); len(last) != 2 || last[0].Number >= last[1].Number {
		t.Errorf("%+v", last)
	}
}

// TestQueueIsFull: what has no room is refused, and there is room again when some is removed.
func TestQueueIsFull(t *testing.T) {
	opts := queueOptions(vfs.NewMem())
	opts.MaxBytes = 40
	q, err := OpenQueue(opts)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	add := func() error { return q.Add(t.Context(), []byte("0123456789")) }
	if err := errors.Join(add(), add()); err != nil {
		t.Fatal(err)
	}
	if err := add(); !errors.Is(err, bridge.ErrFull) || !strings.Contains(err.Error(), "JOURNAL_MAX_BYTES") {
		t.Errorf("got %v", err)
	}
	inputs, err := q.Read(0, 1)
	if err := errors.Join(err, q.Remove(t.Context(), inputs), add()); err != nil {
		t.Error(err)
	}
}

// smallDisk has so many bytes free.
type smallDisk struct {
	FS
	free uint64
}

func (d smallDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: d.free, TotalBytes: 1 << 40}, nil
}

// TestQueueLeavesTheDiskRoom: MIN_FREE_BYTES holds for it too.
func TestQueueLeavesTheDiskRoom(t *testing.T) {
	opts := queueOptions(smallDisk{vfs.NewMem(), 99})
	opts.MinFreeBytes = 100
	q, err := OpenQueue(opts)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if err := q.Add(t.Context(), []byte("z")); !errors.Is(err, bridge.ErrFull) ||
		!strings.Contains(err.Error(), "MIN_FREE_BYTES") {
		t.Errorf("got %v", err)
	}
	if err := q.Ready(); !errors.Is(err, bridge.ErrFull) || q.FreeBytes() != 99 {
		t.Errorf("ready with %d bytes free: %v", q.FreeBytes(), err)
	}
}

// TestQueueOnADiskThatCannotBeMeasured counts as full: nothing says that there is room.
func TestQueueOnADiskThatCannotBeMeasured(t *testing.T) {
	disk := &unmeasured{FS: vfs.NewMem()}
	opts := queueOptions(disk)
	opts.MinFreeBytes = 1
	q, err := OpenQueue(opts)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	disk.gone.Store(true)
	if err := q.Ready(); !errors.Is(err, bridge.ErrFull) || q.FreeBytes() != 0 {
		t.Errorf("ready with %d bytes free: %v", q.FreeBytes(), err)
	}
}

// unmeasured is a disk that does not say any more how much is free.
type unmeasured struct {
	FS
	gone atomic.Bool
}

func (d *unmeasured) GetDiskUsage(dir string) (vfs.DiskUsage, error) {
	if d.gone.Load() {
		return vfs.DiskUsage{}, errors.New("stale file handle")
	}
	return d.FS.GetDiskUsage(dir)
}

// TestQueueIsReady until it has failed.
func TestQueueIsReady(t *testing.T) {
	q := openQueue(t, vfs.NewMem())
	if err := q.Ready(); err != nil {
		t.Error(err)
	}
	broken := errors.New("broken")
	q.Fail(broken)
	if err := q.Ready(); !errors.Is(err, bridge.ErrFailed) || !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := q.Add(t.Context(), []byte("a")); !errors.Is(err, bridge.ErrFailed) {
		t.Errorf("got %v", err)
	}
	if err := q.Close(); !errors.Is(err, broken) {
		t.Errorf("closed with %v", err)
	}
}

// TestNobodyWaitsForAQueue that is closed, or longer than its own time.
func TestNobodyWaitsForAQueue(t *testing.T) {
	q := openQueue(t, vfs.NewMem())
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	for range maxWritesTogether + 1 { // as many as fit into what the writer had before it, and one
		if err := q.Add(t.Context(), []byte("a")); !errors.Is(err, bridge.ErrStopping) {
			t.Fatalf("got %v", err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	stuck := &Queue{requests: make(chan *queueWrite), closing: make(chan struct{}), ended: make(chan struct{}),
		failure: failure{failed: make(chan struct{})}}
	if err := stuck.Remove(gone, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	stuck.requests = make(chan *queueWrite, 1)
	if err := stuck.Remove(gone, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestQueueFails: after a write that failed nobody waits for ever and nothing more is promised.
func TestQueueFails(t *testing.T) {
	var broken errorfs.Toggle
	broken.Injector = errorfs.ErrInjected.If(errorfs.Writes)
	q := openQueue(t, errorfs.Wrap(vfs.NewMem(), &broken))
	if err := q.Add(t.Context(), []byte("a")); err != nil {
		t.Fatal(err)
	}
	broken.On()
	for range 2 {
		if err := q.Add(t.Context(), []byte("b")); !errors.Is(err, bridge.ErrFailed) {
			t.Errorf("got %v", err)
		}
	}
	if err := q.Close(); err == nil {
		t.Error("closed as if nothing had happened")
	}
}

// TestQueueRefuses what it must not open: another format, a damaged record, a directory that is in use.
func TestQueueRefuses(t *testing.T) {
	for want, change := range map[string]func(*pebble.DB) error{
		"unsupported format": func(db *pebble.DB) error {
			return db.Set([]byte{tableVersion}, []byte("livebridge-intake 2"), pebble.Sync)
		},
		"is damaged": func(db *pebble.DB) error { return db.Set(inputKey(1), nil, pebble.Sync) },
	} {
		fs := vfs.NewMem()
		q := openQueue(t, fs)
		if _, err := OpenQueue(queueOptions(fs)); !errors.Is(err, ErrInUse) {
			t.Errorf("opened twice: %v", err)
		}
		if err := errors.Join(change(q.db), q.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenQueue(queueOptions(fs)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
