package main

import (
	"context"
	"io"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// notifySystemd tells systemd the service's state. It does nothing where the service was not started by a unit with
// Type=notify. Without the message the unit stays in its state until systemd's time-out, and so a failure is a warning.
func (a *app) notifySystemd(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		a.log.Warn("cannot notify systemd", zap.String("state", state), zap.Error(err))
	}
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
		feed:  func() { a.notifySystemd(daemon.SdNotifyWatchdog) }}
	w.run(ctx)
}

// watchdog feeds a watchdog that ends the service when it was not fed for interval.
type watchdog struct {
	interval time.Duration
	alive    func(context.Context) error
	feed     func()
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
		w.feed()
	case ctx.Err() == nil:
		w.log.Warn("systemd watchdog not notified: /livez does not answer 200", zap.Error(err))
	}
}
