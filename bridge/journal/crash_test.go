package journal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// TestPowerLoss cuts the power at random moments of a run with several writers: everything that was answered is there
// afterwards, in order, and what was trimmed may come again but nothing else is missing.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			disk := vfs.NewCrashableMem()
			answered := make(map[string]int) // events answered, by stream
			for life := range uint64(4) {
				disk = liveAndCrash(t, disk, rand.New(rand.NewPCG(seed, life)), answered)
			}
			o := memory()
			o.FS = disk
			j := open(t, o)
			defer closeJournal(t, j)
			checkAnswered(t, j, answered)
		})
	}
}

// liveAndCrash appends from several goroutines and returns the disk as it is after a loss of power in the middle.
func liveAndCrash(t *testing.T, disk *vfs.MemFS, rnd *rand.Rand, answered map[string]int) *vfs.MemFS {
	t.Helper()
	o := memory()
	o.FS, o.OutboxMemory = disk, 16
	j := open(t, o)
	defer closeJournal(t, j)
	var mu sync.Mutex
	var crashed *vfs.MemFS
	count := make(map[string]int)
	cut := rnd.IntN(60)
	var wg sync.WaitGroup
	for w := range 4 {
		stream := fmt.Sprint("w", w)
		n := answered[stream]
		wg.Go(func() {
			for range 20 {
				a := push(stream, bridge.Millis(1e12+n/2), bridge.PhasePublish+bridge.Phase(n%2))
				if err := j.Append(t.Context(), a); err != nil {
					t.Error(err)
				}
				n++
				mu.Lock()
				if crashed == nil {
					count[stream]++
				}
				if cut--; cut == 0 {
					crashed = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(1, 2))})
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if crashed == nil {
		crashed = disk.CrashClone(vfs.CrashCloneCfg{})
	}
	for stream, n := range count {
		answered[stream] += n
	}
	return crashed
}

// checkAnswered drains the outbox and compares it with what was answered. An event that was written and not answered
// may be there too.
func checkAnswered(t *testing.T, j *Journal, answered map[string]int) {
	t.Helper()
	got := drain(t, j, j.outbox.Pending())
	inOrder(t, got, 1)
	have := make(map[string]int)
	for _, e := range got {
		have[strings.Fields(e)[0]]++
	}
	for stream, n := range answered {
		if have[stream] < n {
			t.Errorf("stream %s: %d events were answered and %d are there", stream, n, have[stream])
		}
	}
}

// TestFailedSync: once a write or sync has failed nothing more is answered, and a restart recovers what was.
func TestFailedSync(t *testing.T) {
	for _, op := range []errorfs.OpKind{errorfs.OpFileSyncData, errorfs.OpFileWrite} {
		t.Run(fmt.Sprint(op), func(t *testing.T) {
			disk := vfs.NewCrashableMem()
			var mu sync.Mutex
			broken := false
			injector := errorfs.InjectorFunc(func(o errorfs.Op) error {
				mu.Lock()
				defer mu.Unlock()
				if broken && o.Kind == op && strings.HasSuffix(o.Path, ".log") {
					return errors.New("the disk is gone")
				}
				return nil
			})
			o := memory()
			o.FS = errorfs.Wrap(disk, injector)
			j := open(t, o)
			add(t, j, many(1, 2)...)
			mu.Lock()
			broken = true
			mu.Unlock()
			a := push("b", 1e12, bridge.PhasePublish)
			if err := j.Append(context.Background(), a); !errors.Is(err, bridge.ErrFailed) {
				t.Fatalf("got %v", err)
			}
			<-j.Failed()
			if err := j.Append(context.Background(), a); !errors.Is(err, bridge.ErrFailed) || j.Ready() == nil {
				t.Errorf("after the failure: %v", err)
			}
			if err := j.Close(); err == nil {
				t.Error("a failed journal was closed without a word")
			}
			o.FS = disk.CrashClone(vfs.CrashCloneCfg{})
			j = open(t, o)
			defer closeJournal(t, j)
			inOrder(t, drain(t, j, 2), 1)
		})
	}
}

// TestAnswerOfAWriterThatEnds: what it has answered counts, and a failure is not taken for a stop, though all is told
// at once.
func TestAnswerOfAWriterThatEnds(t *testing.T) {
	for range 50 { // select chooses by chance
		stopped, err := newJournal(memory(), online)
		if err != nil {
			t.Fatal(err)
		}
		failed, err := newJournal(memory(), online)
		if err != nil {
			t.Fatal(err)
		}
		failed.store.Fail(errors.New("the disk is gone"))
		close(stopped.written)
		close(failed.written)
		r := &request{done: make(chan error, 1)}
		r.done <- nil
		if answered, err := stopped.await(r); !answered || err != nil {
			t.Fatalf("an answer is lost: %v", err)
		}
		if _, err := stopped.await(r); !errors.Is(err, bridge.ErrStopping) {
			t.Fatalf("after a stop: %v", err)
		}
		if _, err := failed.await(r); !errors.Is(err, bridge.ErrFailed) {
			t.Fatalf("after a failure: %v", err)
		}
	}
}

func TestInUse(t *testing.T) {
	o := DefaultOptions(t.TempDir())
	j := open(t, o)
	defer closeJournal(t, j)
	if _, err := Open(o); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "DATA_DIR") {
		t.Errorf("got %v", err)
	}
}

// TestOtherFormatIsRefused: an older journal and one of a later version are left alone.
func TestOtherFormatIsRefused(t *testing.T) {
	for _, format := range []string{"livebridge-journal 2", "livebridge-journal 99"} {
		o := memory()
		j := open(t, o)
		closeJournal(t, j)
		damage(t, o, func(db *pebble.DB) error { return db.Set([]byte{'v'}, []byte(format), pebble.Sync) })
		o.Registerer = prometheus.NewRegistry()
		if _, err := Open(o); err == nil || !strings.Contains(err.Error(), `unsupported journal format "`+format+`"`) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestFull(t *testing.T) {
	o := memory()
	o.MaxBytes = 2000
	j := open(t, o)
	defer closeJournal(t, j)
	n := 0
	for ; j.Ready() == nil; n++ {
		add(t, j, push(fmt.Sprint("s", n), 1e12, bridge.PhasePublish))
	}
	if err := j.Append(t.Context(), push("x", 1e12, bridge.PhasePublish)); !errors.Is(err, bridge.ErrFull) {
		t.Fatalf("got %v", err)
	}
	drain(t, j, n)
	if err := j.outbox.Trim(t.Context(), durable); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); j.Ready() != nil; {
		if time.Now().After(end) {
			t.Fatal("it takes nothing though it is empty")
		}
	}
	add(t, j, push("x", 1e12, bridge.PhasePublish))
}

func TestStopped(t *testing.T) {
	j := open(t, memory())
	j.Stop()
	if err := j.Append(t.Context(), push("x", 1e12, bridge.PhasePublish)); !errors.Is(err, bridge.ErrStopping) {
		t.Errorf("got %v", err)
	}
	closeJournal(t, j)
}
