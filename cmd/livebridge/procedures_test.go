package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/transports/nats/natstest"
)

// position is where an event stands in its lane.
type position struct{ ID, Sequence string }

// positions reads n events of one lane from a broker.
func positions(t *testing.T, url string, n int) (all []position) {
	t.Helper()
	for _, line := range tailed(t, url, func(string) bool { n--; return n == 0 }) {
		var at position
		if err := json.Unmarshal([]byte(line), &at); err != nil {
			t.Fatal(err)
		}
		all = append(all, at)
	}
	return all
}

// runs plays rounds of one stream to a service on a directory, which stops when its outbox is published.
func runs(t *testing.T, dir string, from, to int, settings ...string) *program {
	t.Helper()
	service := launch(t, dir, settings...)
	if n := newProvider().play(t.Context(), "http://"+service.listen+"/live/stream", "room1", from, to); n != to {
		t.Fatalf("the service answers until round %d", n)
	}
	return service
}

// TestMoveToAnotherBroker: as the handbook says, a service that is stopped and started with another broker goes on in
// every lane where it was. Consumers read the old broker to its end, and then the new one.
func TestMoveToAnotherBroker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	service := runs(t, dir, 0, 20)
	all := positions(t, service.nats, 20)
	service.terminate(t)
	b := broker(t, natstest.StoreDir(t), server.RANDOM_PORT)
	runs(t, dir, 20, 40, prefix+"NATS_URL="+b.ClientURL()).terminate(t)
	all = append(all, positions(t, b.ClientURL(), 20)...)
	var first uint64
	for i, p := range all {
		at, err := strconv.ParseUint(p.Sequence, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = at
		}
		if at != first+uint64(i) {
			t.Fatalf("event %d has sequence %d, want %d", i, at, first+uint64(i))
		}
	}
}

// TestOldBackup: what the handbook warns of. A service on an older copy of DATA_DIR gives sequences to new events that
// consumers have seen and so take them for repeats; one on an empty DATA_DIR does not.
func TestOldBackup(t *testing.T) {
	t.Parallel()
	b := broker(t, natstest.StoreDir(t), server.RANDOM_PORT)
	dir, url := t.TempDir(), prefix+"NATS_URL="+b.ClientURL()
	backup := filepath.Join(t.TempDir(), "backup")
	runs(t, dir, 0, 10, url).terminate(t)
	if err := os.CopyFS(backup, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	runs(t, dir, 10, 20, url).terminate(t)
	if repeated := repeatedSequences(positions(t, b.ClientURL(), 20)); repeated != 0 {
		t.Errorf("%d sequences are repeated before the backup is restored", repeated)
	}
	runs(t, t.TempDir(), 20, 30, url).terminate(t)
	if repeated := repeatedSequences(positions(t, b.ClientURL(), 30)); repeated != 0 {
		t.Errorf("an empty DATA_DIR repeats %d sequences", repeated)
	}
	runs(t, backup, 30, 40, url).terminate(t)
	if repeated := repeatedSequences(positions(t, b.ClientURL(), 40)); repeated != 10 {
		t.Errorf("the older copy repeats %d sequences; the handbook warns of it", repeated)
	}
}

// repeatedSequences counts the events that a consumer drops as repeats though they are none.
func repeatedSequences(all []position) (n int) {
	ids := make(map[string]string)
	for _, p := range all {
		if id, seen := ids[p.Sequence]; seen && id != p.ID {
			n++
		}
		ids[p.Sequence] = p.ID
	}
	return n
}
