//go:build linux

package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/transports/nats/natstest"
)

// openFiles returns the command line under which a program may have so many files open.
func openFiles(limit int) []string {
	return []string{"sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, limit)}
}

// flood opens silent connections and returns what closes them.
func flood(t *testing.T, network, address string, connections int) (end func()) {
	t.Helper()
	var all []net.Conn
	for range connections {
		c, err := net.Dial(network, address)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return func() {
		for _, c := range all {
			_ = c.Close()
		}
	}
}

// TestFloodOfConnections: however many silent connections there are on all ports, callbacks are answered 200, events
// come out, and probes are answered.
// It is not parallel: it takes the ports of thousands of connections.
func TestFloodOfConnections(t *testing.T) {
	const limit = 512
	dir, p := t.TempDir(), newProvider()
	service := launchUnder(t, dir, openFiles(limit))
	play := func(from, to int) { p.play(t.Context(), "http://"+service.listen+"/live/stream", "room1", from, to) }
	play(0, 2) // from now on its connection is there
	var ends []func()
	for _, port := range [][2]string{{"tcp", service.listen}, {"tcp", service.admin},
		{"tcp", strings.TrimPrefix(service.nats, "nats://")},
		{"unix", filepath.Join(dir, "control.sock")}} {
		ends = append(ends, flood(t, port[0], port[1], limit+100))
	}
	play(2, 200)
	if n := p.total.Load(); n != 200 {
		t.Errorf("%d of 200 callbacks were answered 200", n)
	}
	until(t, "all is published", func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
	for _, path := range []string{"/livez", "/readyz"} {
		if status := service.status(path); status != http.StatusOK {
			t.Errorf("%s is answered %d", path, status)
		}
	}
	for _, end := range ends {
		end()
	}
	until(t, "consumers are let in again", func() bool { return acceptsConnection(service.nats) })
	p.judge(t, service.nats)
	service.signal(t, syscall.SIGTERM)
	if code := service.end(t); code != exitDone {
		t.Errorf("it exits with %d", code)
	}
	output := service.log.String()
	if n := strings.Count(output, "connection closed: too many at once"); n == 0 || n > 20 {
		t.Errorf("%d lines about connections of operators", n)
	}
	if n := strings.Count(output, "maximum connections exceeded"); n == 0 || n > 100 {
		t.Errorf("%d lines about connections of consumers", n)
	}
	if !strings.Contains(output, prefix+"MAX_CONNECTIONS") || !strings.Contains(output, `"open_files_limit":512`) {
		t.Error("it does not say that MAX_CONNECTIONS is lowered")
	}
	if t.Failed() {
		t.Log(output)
	}
}

// acceptsConnection reports whether the embedded server has room for one more consumer.
func acceptsConnection(url string) bool {
	c, err := nats.Connect(url, nats.NoReconnect())
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// TestTooFewOpenFiles: with a limit that is too small to work there is a clear error, and the least that is asked for
// will do.
func TestTooFewOpenFiles(t *testing.T) {
	service := spawn(t, t.TempDir(), openFiles(openFilesNeeded-1))
	if code := service.end(t); code != exitUsage || !strings.Contains(service.log.String(), "ulimit -n") {
		t.Errorf("it exits with %d\n%s", code, service.log)
	}
	service = launchUnder(t, t.TempDir(), openFiles(openFilesNeeded))
	if status := service.status("/readyz"); status != http.StatusOK {
		t.Errorf("/readyz is answered %d", status)
	}
}

// TestShare: no part of the open files takes from another, whatever the limit, and what is asked for is given when
// there is room.
func TestShare(t *testing.T) {
	for _, embedded := range []bool{false, true} {
		for limit := openFilesNeeded; limit < 1<<21; limit += 1 + limit/7 {
			d := shareFiles(limit, 4096, embedded)
			used := d.callbacks + d.consumers + d.operators + d.journal + ownFiles + busyReplies + brokerFiles + controlFiles
			if d.callbacks < minCallbacks || d.callbacks > 4096 || used > limit {
				t.Fatalf("of %d: %+v", limit, d)
			}
		}
	}
	if d := shareFiles(20_000, 4096, true); d.callbacks != 4096 {
		t.Errorf("%+v", d)
	}
	if n := limitFor(1024, 4096, true); shareFiles(n, 4096, true).callbacks != 4096 || n > 8192 {
		t.Errorf("%d are said to be needed", n)
	}
}

// TestEnoughOpenFilesIsNoWarning.
func TestEnoughOpenFilesIsNoWarning(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	s := &settings{Transport: "kafka", MaxConnections: 100}
	if d, err := s.shareDescriptors(zap.New(core)); err != nil || d.callbacks != 100 || d.consumers != 0 ||
		logs.Len() != 0 {
		t.Errorf("%+v, %v, %v", d, err, logs.All())
	}
}

// setOpenFiles changes the limit of a program that runs.
func (p *program) setOpenFiles(t *testing.T, limit uint64) {
	t.Helper()
	hard := syscall.Rlimit{}
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &hard); err != nil {
		t.Fatal(err)
	}
	r := syscall.Rlimit{Cur: limit, Max: hard.Max}
	_, _, failed := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(p.cmd.Process.Pid), syscall.RLIMIT_NOFILE,
		uintptr(unsafe.Pointer(&r)), 0, 0, 0)
	if failed != 0 {
		t.Fatal(failed)
	}
}

// TestOutOfOpenFiles: while not one more file can be opened, nothing ends: callbacks on connections that are there are
// answered 200 and published, keys stay active, and all goes on by itself once files can be opened again.
func TestOutOfOpenFiles(t *testing.T) {
	t.Parallel()
	b := broker(t, natstest.StoreDir(t), server.RANDOM_PORT)
	keys := filepath.Join(t.TempDir(), "keys.yaml")
	rule := "rules:\n  - {domain: other.example.com, app: live, kind: stream, keys: [0123456789abcdef0123456789abcdef]}\n"
	if err := os.WriteFile(keys, []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newProvider()
	service := launch(t, t.TempDir(), prefix+"NATS_URL="+b.ClientURL(), prefix+"KEYS_FILE="+keys)
	url := "http://" + service.listen + "/live/stream"
	next := p.play(t.Context(), url, "room1", 0, 2)
	until(t, "all is published", func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
	service.setOpenFiles(t, 3)
	end := flood(t, "tcp", service.listen, 3)
	loaded := func() float64 {
		n, found := sum(service.metrics(t), "livebridge_key_file_last_reload_successful")
		if !found {
			t.Fatal("no gauge of the file of keys")
		}
		return n
	}
	until(t, "the file of keys cannot be read", func() bool { return loaded() == 0 })
	next = p.play(t.Context(), url, "room1", next, next+20) // too few for a new log, which would have to wait
	until(t, "all is published", func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
	end()
	service.setOpenFiles(t, 4096)
	until(t, "the file of keys can be read again", func() bool { return loaded() == 1 })
	next = p.play(t.Context(), url, "room1", next, next+2)
	http.DefaultClient.CloseIdleConnections()
	if status := service.status("/readyz"); status != http.StatusOK {
		t.Errorf("/readyz is answered %d", status)
	}
	if n := p.total.Load(); n != int64(next) {
		t.Errorf("%d of %d callbacks were answered 200", n, next)
	}
	p.judge(t, b.ClientURL())
	service.signal(t, syscall.SIGTERM)
	if code := service.end(t); code != exitDone {
		t.Errorf("it exits with %d\n%s", code, service.log)
	}
}
