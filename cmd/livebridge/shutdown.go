package main

import (
	"context"
	"errors"
	"net"
	"sync"
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
func (a *app) stop(stopDispatch, expire context.CancelFunc, work *sync.WaitGroup) error {
	begun := time.Now()
	a.logStopping()
	a.stopping.Store(true)
	a.ingress.CloseConnections()
	time.Sleep(a.settings.ShutdownDelay)
	limit := deadlinesOf(a.settings.ShutdownGrace)
	answerCtx, cancelAnswer := context.WithDeadline(context.Background(), limit.answer)
	defer cancelAnswer()
	graceCtx, cancel := context.WithDeadline(context.Background(), limit.close)
	defer cancel()
	drained := a.drain(limit.accept, func() bool { return a.journal.Drained(begun) })
	err := a.ingress.Shutdown(answerCtx)
	a.journal.Stop()
	if drained { // the broker takes what was accepted meanwhile, too; the next process should not wait long for it
		a.drain(earlier(limit.answer, time.Now().Add(closeReserve)), func() bool { return a.journal.Pending() == 0 })
	}
	stopDispatch()
	context.AfterFunc(graceCtx, expire)
	if a.journal.Pending() > 0 {
		expire()
	}
	work.Wait()
	left := a.journal.Pending()
	err = errors.Join(ignoreDeadline(err), ignoreDeadline(a.closeControl(graceCtx)),
		ignoreDeadline(a.publisher.Close(graceCtx)), a.journal.Close(), a.admin.Shutdown(graceCtx))
	a.logStopped(left, time.Since(begun))
	return err
}

// logStopping logs what the shutdown waits for before it closes the port for callbacks.
func (a *app) logStopping() {
	waitsFor := "nothing"
	switch events := a.journal.Pending(); {
	case events > 0 && a.dispatcher.Available():
		waitsFor = "the outbox to be published"
	case events > 0:
		waitsFor = "nothing: the broker is unavailable, and the outbox is on disk"
	}
	a.log.Info("stopping", zap.String("waits_for", waitsFor), zap.Int("outbox_events", a.journal.Pending()),
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

// drainInterval is how often the outbox is looked at during a shutdown.
const drainInterval = 5 * time.Millisecond

// drain waits until done, and reports whether it was before end. It does not wait for a broker that is known to be
// unavailable, nor for a journal that has failed.
func (a *app) drain(end time.Time, done func() bool) bool {
	ticker, timeout := time.NewTicker(drainInterval), time.NewTimer(time.Until(end))
	defer ticker.Stop()
	defer timeout.Stop()
	for !done() {
		if !a.dispatcher.Available() {
			return false
		}
		select {
		case <-a.journal.Failed():
			return false
		case <-timeout.C:
			return false
		case <-ticker.C:
		}
	}
	return true
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
