package main

import (
	"context"
	"errors"
	"net"
	"time"

	"go.uber.org/zap"
)

// closeReserve is the part of the grace period that is reserved for requests in flight, and again for closing
// everything.
const closeReserve = 2 * time.Second

// deadlines are when the steps of a shutdown end at the latest.
type deadlines struct{ accept, answer, close time.Time }

// deadlinesOf divides a grace period that begins now.
func deadlinesOf(grace time.Duration) deadlines {
	end, reserve := time.Now().Add(grace), min(closeReserve, grace/4)
	return deadlines{accept: end.Add(-2 * reserve), answer: end.Add(-reserve), close: end}
}

// stop shuts the service down. It becomes not ready and accepts callbacks for SHUTDOWN_DELAY, and then for as long as
// the outbox is published that the signal found. The port for callbacks closes last: until another process listens,
// callbacks are lost. Then the requests in flight are answered, their events published, and everything is synced.
// alive ends when the journal fails.
func (a *app) stop(alive context.Context) error {
	begun := time.Now()
	a.logStopping()
	a.stopping.Store(true)
	a.ingress.CloseConnections()
	time.Sleep(a.settings.ShutdownDelay)
	limit := deadlinesOf(a.settings.ShutdownGrace)
	drained := a.drain(alive, limit.accept, begun)
	err := before(limit.answer, a.ingress.Shutdown)
	a.engine.refuse()
	if drained { // the broker takes what was accepted meanwhile, too; the next process should not wait long for it
		a.drain(alive, earlier(limit.answer, time.Now().Add(closeReserve)), time.Time{})
	}
	left := a.engine.finish(limit.close)
	err = errors.Join(err, before(limit.close, a.closeControl), a.engine.close(limit.close),
		before(limit.close, a.admin.Shutdown))
	a.closeTracer(limit.close)
	a.logStopped(left, time.Since(begun))
	return err
}

// drain waits until what waited for the broker at an instant is published, or everything if that is zero, and reports
// whether it was before end. It does not wait for a broker that is known to be unavailable, nor for a journal that has
// failed.
func (a *app) drain(alive context.Context, end, since time.Time) bool {
	ctx, cancel := context.WithDeadline(alive, end)
	defer cancel()
	return a.engine.drain(ctx, since) == nil
}

// before calls a step of the shutdown with a deadline. That it was reached is no failure.
func before(end time.Time, step func(context.Context) error) error {
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	if err := step(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// logStopping logs what the shutdown waits for before it closes the port for callbacks.
func (a *app) logStopping() {
	waitsFor := "nothing"
	switch events := a.engine.pending(); {
	case events > 0 && a.engine.Available():
		waitsFor = "the outbox to be published"
	case events > 0:
		waitsFor = "nothing: the broker is unavailable, and the outbox is on disk"
	}
	a.log.Info("stopping", zap.String("waits_for", waitsFor), zap.Int("outbox_events", a.engine.pending()),
		zap.Stringer("delay", a.settings.ShutdownDelay), zap.Stringer("grace", a.settings.ShutdownGrace))
}

// logStopped logs what the next start will publish.
func (a *app) logStopped(left int, took time.Duration) {
	fields := []zap.Field{zap.Int("outbox_events", left), zap.Stringer("took", took.Round(time.Millisecond))}
	if left > 0 {
		a.log.Warn("stopped with events in the outbox; they are published after the next start", fields...)
		return
	}
	a.log.Info("stopped", fields...)
}

// closeControl closes the control socket. The journal that it serves must still be open.
func (a *app) closeControl(ctx context.Context) error {
	if a.control == nil {
		return nil
	}
	return a.control.Shutdown(ctx)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// abort closes what start has opened.
func (a *app) abort() error {
	var errs []error
	for _, l := range []net.Listener{a.callbackListener, a.adminListener} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	a.closeTracer(time.Now().Add(closeReserve))
	if a.engine != nil {
		errs = append(errs, a.closeControl(context.Background()), a.engine.close(time.Now().Add(closeReserve)))
	}
	return errors.Join(errs...)
}
