package store

import (
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge/store/storetest"
)

// crashed returns a disk as a crash leaves it right after the last commit, and the log on it.
func crashed(t *testing.T) (left *vfs.MemFS, log string) {
	t.Helper()
	d := create(t)
	for n := range 10 {
		d.emit(true, n, "a", "b")
	}
	left = d.fs.CrashClone(cloneAll())
	d.close()
	names, err := left.List(d.opts.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".log") {
			log = left.PathJoin(d.opts.Dir, name)
		}
	}
	return left, log
}

// warnings opens the store on the disk and returns what is logged of its log's end.
func warnings(t *testing.T, disk *vfs.MemFS) (all []observer.LoggedEntry, err error) {
	t.Helper()
	core, logs := observer.New(zapcore.WarnLevel)
	o := memory()
	o.FS, o.Log = disk, zap.New(core)
	s, err := open(o)
	if err == nil {
		s.Interrupt()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
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
	storetest.Rewrite(t, disk, log, func(content []byte) []byte { return content[:len(content)-3] })
	if err := disk.Remove(disk.PathJoin(memory().Dir, MarkerName)); err != nil { // it was not written back
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
	storetest.Rewrite(t, old, log, func(content []byte) []byte { return content[:len(content)-3] })
	if _, err := warnings(t, old); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("commits are missing, and the store opens: %v", err)
	}
}

// TestDamagedStoreSaysWhatToDo: where the store cannot be opened for damage, the error is for a person.
func TestDamagedStoreSaysWhatToDo(t *testing.T) {
	disk, _ := crashed(t)
	storetest.Rewrite(t, disk, disk.PathJoin(memory().Dir, "MANIFEST-000001"), func(content []byte) []byte {
		content[10] ^= 4
		return content
	})
	_, err := warnings(t, disk)
	if err == nil || !strings.Contains(err.Error(), "its files are damaged") ||
		!strings.Contains(err.Error(), "restore DATA_DIR") {
		t.Errorf("got %v", err)
	}
}
