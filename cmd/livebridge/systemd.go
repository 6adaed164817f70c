package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// notifyLimit is how long systemd may take to make room for a message.
const notifyLimit = 2 * time.Second

// notifySystemd tells systemd the service's state. It does nothing where the service was not started by a unit with
// Type=notify. Without the message the unit stays in its state until systemd's time-out, and so a failure is a warning.
func (a *app) notifySystemd(ctx context.Context, state string) {
	ctx, cancel := context.WithTimeout(ctx, notifyLimit)
	defer cancel()
	err := tellSystemd(ctx, state)
	if err != nil && !errors.Is(ctx.Err(), context.Canceled) { // by the end of the service, which has its own message
		a.log.Warn("cannot notify systemd", zap.String("state", state), zap.Error(err))
	}
}

// tellSystemd is go-systemd's SdNotify with an end: a socket has room for few messages, and that one waits for as long
// as systemd does not read.
func tellSystemd(ctx context.Context, state string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Now()) })()
	_, err = conn.Write([]byte(state))
	return err
}

// feedSystemdWatchdog tells systemd that the service lives, as long as /livez says so, until ctx ends. It does nothing
// in a unit without WatchdogSec.
func (a *app) feedSystemdWatchdog(ctx context.Context) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		a.log.Warn("systemd watchdog not notified: WATCHDOG_USEC is invalid", zap.Error(err))
	}
	if err != nil || interval == 0 {
		return
	}
	url := "http://" + reachableAddress(a.adminListener.Addr().String()) + "/livez"
	w := watchdog{interval: interval, log: a.log,
		alive: func(ctx context.Context) error { return checkHealth(ctx, io.Discard, url) },
		feed:  func(ctx context.Context) { a.notifySystemd(ctx, daemon.SdNotifyWatchdog) }}
	w.run(ctx)
}

// watchdog feeds a watchdog that ends the service when it was not fed for interval.
type watchdog struct {
	interval time.Duration
	alive    func(context.Context) error
	feed     func(context.Context)
	log      *zap.Logger
}

// run asks and feeds twice in an interval until ctx ends. An answer that does not come in that time is none.
func (w *watchdog) run(ctx context.Context) {
	ticker := time.NewTicker(w.interval / 2)
	defer ticker.Stop()
	for {
		w.check(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (w *watchdog) check(ctx context.Context) {
	asking, cancel := context.WithTimeout(ctx, w.interval/2)
	defer cancel()
	err := w.alive(asking)
	switch {
	case err == nil:
		w.feed(ctx)
	case ctx.Err() == nil:
		w.log.Warn("systemd watchdog not notified: /livez does not answer 200", zap.Error(err))
	}
}
