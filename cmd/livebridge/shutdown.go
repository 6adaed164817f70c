package main

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"
)

// closeReserve is the part of the grace period that is reserved for closing everything.
const closeReserve = 2 * time.Second

// stop shuts the service down: it becomes not ready, accepts callbacks for SHUTDOWN_DELAY, closes its port, answers the
// requests in flight, publishes the outbox until SHUTDOWN_GRACE ends, and syncs everything.
func (a *app) stop(stopDispatch, expire context.CancelFunc, work *sync.WaitGroup) error {
	a.log.Info("stopping")
	a.stopping.Store(true)
	time.Sleep(a.settings.ShutdownDelay)
	end := time.Now().Add(a.settings.ShutdownGrace)
	graceCtx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	reserve := min(closeReserve, a.settings.ShutdownGrace/2)
	drainCtx, cancelDrain := context.WithDeadline(context.Background(), end.Add(-reserve))
	defer cancelDrain()
	err := a.ingress.Shutdown(drainCtx)
	a.journal.Stop()
	a.drain(drainCtx)
	stopDispatch()
	context.AfterFunc(graceCtx, expire)
	if a.journal.Pending() > 0 {
		expire()
	}
	work.Wait()
	if left := a.journal.Pending(); left > 0 {
		a.log.Warn("outbox not empty at shutdown; its events are published after the next start",
			zap.Int("events", left))
	}
	return errors.Join(ignoreDeadline(err), ignoreDeadline(a.closeControl(graceCtx)),
		ignoreDeadline(a.publisher.Close(graceCtx)), a.journal.Close(), a.admin.Shutdown(graceCtx))
}

// closeControl closes the control socket. The journal that it serves must still be open.
func (a *app) closeControl(ctx context.Context) error {
	if a.control == nil {
		return nil
	}
	return a.control.Shutdown(ctx)
}

// drain waits until the outbox is empty or ctx ends.
func (a *app) drain(ctx context.Context) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for a.journal.Pending() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// ignoreDeadline drops the error of an expired grace period, which is no failure.
func ignoreDeadline(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// abort closes what start has opened.
func (a *app) abort() error {
	var errs []error
	for _, l := range []net.Listener{a.callbackListener, a.adminListener} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	if a.publisher != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeReserve)
		defer cancel()
		errs = append(errs, a.publisher.Close(ctx))
	}
	if a.journal != nil {
		errs = append(errs, a.closeControl(context.Background()), a.journal.Close())
	}
	return errors.Join(errs...)
}
