package main

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// notifications listens where the service notifies systemd.
func notifications(t *testing.T) (path string, next func() string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return path, func() string {
		t.Helper()
		message := make([]byte, 4096)
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(message)
		if err != nil {
			t.Fatal("systemd is told nothing:", err)
		}
		return string(message[:n])
	}
}

// TestSystemdIsNotified: systemd is told when the service is ready, again and again that it lives, and when it stops.
func TestSystemdIsNotified(t *testing.T) {
	t.Parallel()
	path, next := notifications(t)
	service := launch(t, t.TempDir(), "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=200000")
	got := next()
	if got == daemon.SdNotifyWatchdog { // the first may come before
		got = next()
	}
	if got != daemon.SdNotifyReady {
		t.Fatalf("first systemd is told %q", got)
	}
	for range 3 {
		if got := next(); got != daemon.SdNotifyWatchdog {
			t.Fatalf("then systemd is told %q", got)
		}
	}
	service.signal(t, syscall.SIGTERM)
	for got := next(); got != daemon.SdNotifyStopping; got = next() {
		if got != daemon.SdNotifyWatchdog {
			t.Fatalf("while it ends systemd is told %q", got)
		}
	}
	service.ends(t)
}

// TestSystemdWithoutWatchdog: a unit without WatchdogSec is told that the service is ready and that it stops, no more.
func TestSystemdWithoutWatchdog(t *testing.T) {
	path, next := notifications(t)
	service := launch(t, t.TempDir(), "NOTIFY_SOCKET="+path)
	if got := next(); got != daemon.SdNotifyReady {
		t.Errorf("first systemd is told %q", got)
	}
	service.signal(t, syscall.SIGTERM)
	if got := next(); got != daemon.SdNotifyStopping {
		t.Errorf("then systemd is told %q", got)
	}
	service.ends(t)
}

// TestSystemdThatDoesNotRead: a service that systemd does not listen to, because it hangs, serves and stops.
func TestSystemdThatDoesNotRead(t *testing.T) {
	t.Parallel()
	path, _ := notifications(t)
	fillQueue(t, path)
	service := launch(t, t.TempDir(), "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=200000")
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_134, time.Now(), ""), 200)
	service.signal(t, syscall.SIGTERM)
	service.ends(t)
}

// fillQueue writes messages until another one would have to wait for the reader.
func fillQueue(t *testing.T, path string) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(fd) }()
	for err == nil {
		err = syscall.Sendto(fd, []byte("x"), 0, &syscall.SockaddrUnix{Name: path})
	}
	if !errors.Is(err, syscall.EAGAIN) {
		t.Fatal(err)
	}
}

// TestWatchdogIsFedOnlyByTheLiving: the watchdog is fed twice in its interval, and not while the service says nothing,
// or says that it does not live.
func TestWatchdogIsFedOnlyByTheLiving(t *testing.T) {
	answers := map[string]func(context.Context) error{
		"lives":   func(context.Context) error { return nil },
		"fails":   func(context.Context) error { return errors.New("503") },
		"is dumb": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	}
	for name, alive := range answers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.WarnLevel)
				fed := 0
				w := watchdog{interval: 10 * time.Second, alive: alive, feed: func(context.Context) { fed++ }, log: zap.New(core)}
				ctx, cancel := context.WithTimeout(t.Context(), 29*time.Second)
				defer cancel()
				w.run(ctx)
				want := map[string]int{"lives": 6}[name]
				if fed != want || (logs.Len() == 0) != (want > 0) {
					t.Errorf("fed %d times, %d warnings; want %d times", fed, logs.Len(), want)
				}
			})
		})
	}
}
