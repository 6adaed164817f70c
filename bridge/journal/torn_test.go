package journal

import (
	"livebridge/bridge/store"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// crashed returns a disk as a crash leaves it right after the last answer, and the log on it.
func crashed(t *testing.T) (disk *vfs.MemFS, log string) {
	t.Helper()
	whole := vfs.NewCrashableMem()
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.FS = whole
		j := open(t, o)
		add(t, j, many(2, 10)...)
		synctest.Wait()
		disk = whole.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: fixed()})
		closeJournal(t, j)
	})
	names, err := disk.List(memory().Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".log") {
			log = disk.PathJoin(memory().Dir, name)
		}
	}
	return disk, log
}

// warnings opens the journal on the disk and returns what is logged of its log's end.
func warnings(t *testing.T, disk *vfs.MemFS) (all []observer.LoggedEntry, err error) {
	t.Helper()
	core, logs := observer.New(zapcore.WarnLevel)
	o := memory()
	o.FS, o.Log = disk, zap.New(core)
	j, err := Open(o)
	if err == nil {
		closeJournal(t, j)
	}
	return logs.FilterMessageSnippet("torn or corrupt end").All(), err
}

// TestTornEndIsLogged: what a loss of power leaves of a record at the end of the log is told with its bytes, and a log
// that ends whole, by a crash or a stop, is not.
func TestTornEndIsLogged(t *testing.T) {
	disk, log := crashed(t)
	if all, err := warnings(t, disk.CrashClone(vfs.CrashCloneCfg{})); err != nil || len(all) != 0 {
		t.Fatalf("a whole log: %v, %v", all, err)
	}
	old := disk.CrashClone(vfs.CrashCloneCfg{})
	rewrite(t, disk, log, func(content []byte) []byte { return content[:len(content)-3] })
	if err := disk.Remove(disk.PathJoin(memory().Dir, store.MarkerName)); err != nil { // it was not written back
		t.Fatal(err)
	}
	all, err := warnings(t, disk)
	if err != nil || len(all) != 1 {
		t.Fatalf("a torn log: %v, %v", all, err)
	}
	fields := all[0].ContextMap()
	if fields["file"] != log || fields["chunks"] != int64(1) || fields["bytes"].(int64) < 100 {
		t.Errorf("it says %v", fields)
	}
	if all, err = warnings(t, disk); err != nil || len(all) != 0 { // it was told, and stopped in order
		t.Errorf("afterwards: %v, %v", all, err)
	}
	// The same damage where the commit marker is: nothing that was answered goes without a word.
	rewrite(t, old, log, func(content []byte) []byte { return content[:len(content)-3] })
	if _, err := warnings(t, old); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("answered callbacks are missing, and the journal opens: %v", err)
	}
}

// TestDamagedStoreSaysWhatToDo: where the store cannot be opened for damage, the error is for a person.
func TestDamagedStoreSaysWhatToDo(t *testing.T) {
	disk, _ := crashed(t)
	flip(t, disk, disk.PathJoin(memory().Dir, "MANIFEST-000001"), 10)
	_, err := warnings(t, disk)
	if err == nil || !strings.Contains(err.Error(), "its files are damaged") || !strings.Contains(err.Error(), "restore DATA_DIR") {
		t.Errorf("got %v", err)
	}
}
