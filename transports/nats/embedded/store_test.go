package embedded

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"livebridge/transports/nats"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// filled returns a store with a file in it.
func filled(t *testing.T) *store {
	t.Helper()
	s := newStore(t.TempDir(), nil)
	if err := os.WriteFile(filepath.Join(s.dir, "1.blk"), []byte("message"), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNothingIsLostBeforeASync: a file that cannot be opened, for want of descriptors or of space, is synced the next
// time.
func TestNothingIsLostBeforeASync(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOSPC} {
		e := &Publisher{store: filled(t), failed: make(chan error, 1), events: &reservation{},
			state: state{Base: map[string]uint64{}}}
		real := e.store.sync
		e.store.sync = func(path string) error { return &fs.PathError{Op: "open", Path: path, Err: cause} }
		if err := e.Checkpoint(t.Context()); !errors.Is(err, cause) {
			t.Errorf("%v: got %v", cause, err)
		}
		select {
		case err := <-e.Failed():
			t.Errorf("%v counts as a failure: %v", cause, err)
		default:
		}
		synced := 0
		e.store.sync = func(path string) error { synced++; return real(path) }
		if err := e.Checkpoint(t.Context()); err != nil || synced < 2 {
			t.Errorf("%v: then %d syncs, %v", cause, synced, err)
		}
	}
}

// TestAFailedSyncIsForGood: whatever a second one would say.
func TestAFailedSyncIsForGood(t *testing.T) {
	t.Parallel()
	e := &Publisher{store: filled(t), failed: make(chan error, 1), events: &reservation{},
		state: state{Base: map[string]uint64{}}}
	real := e.store.sync
	e.store.sync = func(string) error { return &syncError{syscall.EIO} }
	if err := e.Checkpoint(t.Context()); !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v", err)
	}
	e.store.sync = real
	if err := e.Checkpoint(t.Context()); !errors.Is(err, syscall.EIO) {
		t.Errorf("then %v", err)
	}
	if err := <-e.Failed(); !errors.Is(err, syscall.EIO) {
		t.Errorf("failed with %v", err)
	}
}

// TestEarlierStream: a stream of earlier settings that has the subjects is an outage which names it, also after a
// crash, and no reason not to start. Set back, the settings find everything, repaired.
func TestEarlierStream(t *testing.T) {
	t.Parallel()
	for name, crash := range map[string]bool{"stopped": false, "crashed": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e := embedded(t, dir, func(o *nats.Options) { o.Stream = "EARLIER" })
			for n := range uint64(3) {
				if err := transporttest.Publish(t, e, natstest.Event("a", n+1)); err != nil {
					t.Fatal(err)
				}
			}
			if err := e.Checkpoint(t.Context()); err != nil {
				t.Fatal(err)
			}
			transporttest.Close(t, e)
			if crash {
				forgetStop(t, dir)
			}
			e = embedded(t, dir, func(o *nats.Options) { o.CheckInterval = 20 * time.Millisecond })
			natstest.AwaitUnavailable(t, e, natstest.Event("a", 4), "stream EARLIER", "set NATS_STREAM to EARLIER")
			if err := transporttest.Publish(t, e, natstest.Notice(1)); err != nil {
				t.Error(err)
			}
			transporttest.Close(t, e)
			e = embedded(t, dir, func(o *nats.Options) { o.Stream = "EARLIER" })
			defer transporttest.Close(t, e)
			if err := transporttest.Publish(t, e, natstest.Event("a", 4)); err != nil {
				t.Fatal(err)
			}
			o := nats.DefaultOptions()
			o.URL, o.Stream = e.ClientURL(), "EARLIER"
			consumedBy(t, o, 4)
		})
	}
}

// forgetStop makes a store look as if the server had not been shut down cleanly.
func forgetStop(t *testing.T, dir string) {
	t.Helper()
	s := newStore(dir, nil)
	st, err := s.readState()
	if err != nil {
		t.Fatal(err)
	}
	if st.Clean = false; s.writeState(st) != nil {
		t.Fatal("state.json is not written")
	}
}

// TestEveryStreamIsRepaired: after a crash also a stream that the settings of this start do not name loses what follows
// a gap.
func TestEveryStreamIsRepaired(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := embedded(t, dir, func(o *nats.Options) { o.Stream = "EARLIER" })
	for n := range uint64(5) {
		if err := transporttest.Publish(t, e, natstest.Event("a", n+1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := natstest.Must(adminOf(t, e).Stream(t.Context(), "EARLIER")).DeleteMsg(t.Context(),
		3); err != nil { // lost, as it were
		t.Fatal(err)
	}
	transporttest.Close(t, e)
	forgetStop(t, dir)
	e = embedded(t, dir, nil)
	defer transporttest.Close(t, e)
	if n := natstest.Must(adminOf(t, e).Stream(t.Context(), "EARLIER")).CachedInfo().State.Msgs; n != 2 {
		t.Errorf("%d messages are left, want the 2 before the gap", n)
	}
}
