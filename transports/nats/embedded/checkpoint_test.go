package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"livebridge/transports/nats"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// syncing starts an embedded server that tells which paths it syncs; sync may refuse.
func syncing(t *testing.T, dir string, sync func(path string) error) *Publisher {
	t.Helper()
	e, err := Start(Options{StoreDir: dir, Listen: "127.0.0.1:0", watch: time.Hour, sync: sync}, nats.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func checkpoint(t *testing.T, e *Publisher) {
	t.Helper()
	if err := e.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestCheckpointSyncsWhatMayHaveChanged: what changes twice within the grain of the file system's clock looks the
// same, and is synced all the same; what has not changed for long is not.
func TestCheckpointSyncsWhatMayHaveChanged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var synced []string
	e := syncing(t, dir, func(path string) error {
		synced = append(synced, path)
		return syncPath(path)
	})
	defer transporttest.Close(t, e)
	soon := time.Now().Add(time.Minute) // within the grain, however long a busy machine takes
	for name, then := range map[string]time.Time{"changes": soon, "rests": time.Now().Add(-time.Hour)} {
		path := filepath.Join(dir, name)
		for _, text := range []string{"one", "two"} {
			if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, then, then)); err != nil {
				t.Fatal(err)
			}
			synced = nil
			checkpoint(t, e)
		}
		if got, want := slices.Contains(synced, path), name == "changes"; got != want {
			t.Errorf("a file that %s is synced again: %v, not %v", name, got, want)
		}
	}
}

// TestCheckpointFailsForGood: after a sync that failed, a later one that goes well proves nothing.
func TestCheckpointFailsForGood(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken disk")
	fails := false
	dir := t.TempDir()
	sync := func(path string) error {
		if fails {
			return &syncError{broken}
		}
		return syncPath(path)
	}
	e := syncing(t, dir, sync)
	checkpoint(t, e)
	if err := transporttest.Publish(t, e, natstest.Event("a", 1)); err != nil {
		t.Fatal(err)
	}
	fails = true
	if err := e.Checkpoint(t.Context()); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	fails = false
	if err := e.Checkpoint(t.Context()); !errors.Is(err, broken) {
		t.Errorf("then %v", err)
	}
	select {
	case err := <-e.Failed():
		if !errors.Is(err, broken) {
			t.Errorf("Failed says %v", err)
		}
	default:
		t.Error("Failed says nothing")
	}
	if err := e.Close(t.Context()); !errors.Is(err, broken) {
		t.Errorf("Close says %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, stateFile)); err != nil || strings.Contains(string(text),
		`"clean":true`) {
		t.Errorf("the store counts as stopped in order: %s, %v", text, err)
	}
}

// TestRepairReportsCause: a stream whose messages cannot be removed is not opened to consumers, and the error says
// why not.
func TestRepairReportsCause(t *testing.T) {
	t.Parallel()
	b := &bridgeRun{disk: newPowerDisk(t, t.TempDir()), received: make(map[string]bool)}
	b.e = startOn(t, b.disk)
	b.publish(t, 6)
	b.consume(t, 4)
	js := adminOf(t, b.e)
	config := natstest.Must(js.Stream(t.Context(), "LIVE_EVENTS")).CachedInfo().Config
	config.DenyDelete = true
	natstest.Must(js.UpdateStream(t.Context(), config))
	b.checkpoint(t)
	b.publish(t, 18)
	b.consume(t, 20)
	l := b.cutPower(t, "")
	transporttest.Close(t, b.e)
	o := nats.DefaultOptions()
	smallBlocks(&o)
	root := t.TempDir()
	l.restore(t, root, allExcept("nats/jetstream/LIVE/streams/LIVE_EVENTS/msgs/2.blk"))
	e, err := Start(Options{StoreDir: filepath.Join(root, "nats"), Listen: "127.0.0.1:0"}, o)
	if err == nil {
		transporttest.Close(t, e)
	}
	if err == nil || !strings.Contains(err.Error(), "stream LIVE_EVENTS: remove message 23: ") ||
		!strings.Contains(err.Error(), "not permitted") {
		t.Errorf("the start says %v", err)
	}
}
