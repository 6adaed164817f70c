//go:build linux

package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFullFromTheStart: a service whose disk is full says so when it starts, on /healthz of the port for callbacks too,
// and counts what it answers 503 as lost.
func TestFullFromTheStart(t *testing.T) {
	dir := t.TempDir()
	var disk syscall.Statfs_t
	used := os.WriteFile(filepath.Join(t.TempDir(), "used"), make([]byte, 32<<20), 0o600) // of a disk that may be empty
	if err := errors.Join(used, syscall.Statfs(dir, &disk)); err != nil {
		t.Fatal(err)
	}
	blocks := (disk.Bavail + disk.Blocks) / 2 // more than are free and less than there are
	service := launch(t, dir, fmt.Sprint(prefix, "MIN_FREE_BYTES=", blocks*uint64(disk.Bsize)))
	for _, want := range []string{`"msg":"journal full; `,
		`"msg":"listening for callbacks","callbacks":"answered 503: journal is full`} {
		if !strings.Contains(service.log.String(), want) {
			t.Errorf("the log has no %s\n%s", want, service.log)
		}
	}
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_134, time.Now(), ""), 503)
	answer, err := http.Get("http://" + service.listen + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	if _ = answer.Body.Close(); answer.StatusCode != 503 || service.status("/readyz") != 503 {
		t.Errorf("/healthz is answered %d, /readyz %d", answer.StatusCode, service.status("/readyz"))
	}
	if n := service.metrics(t)[`livebridge_callbacks_lost_total{kind="stream",reason="full"}`]; n != 1 {
		t.Errorf("%v callbacks are counted as lost", n)
	}
}
