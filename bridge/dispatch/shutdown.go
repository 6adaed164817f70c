package dispatch

import (
	"context"
	"errors"
	"time"
)

// ErrUnavailable is why Drain does not wait for a broker.
var ErrUnavailable = errors.New("the broker is unavailable")

// drainPause is the least time between two looks of Drain, each of which may cost as much as there are lanes.
const drainPause = 5 * time.Millisecond

// Drain waits, while Run publishes, until done says that enough of the outbox is published. It asks done after every
// event that was published or refused, and after every trim: a dead letter leaves the outbox with a commit of the
// journal. It returns ErrUnavailable at once during an outage, or the cause of ctx's end. It may be called again, but
// not at the same time.
func (d *Dispatcher) Drain(ctx context.Context, done func() bool) error {
	for !done() {
		if !d.Available() {
			return ErrUnavailable
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-d.progress:
		}
		pause(ctx)
	}
	return nil
}

// pause waits for drainPause, or until ctx ends.
func pause(ctx context.Context) {
	timer := time.NewTimer(drainPause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// noteProgress lets Drain look at the outbox again.
func (d *Dispatcher) noteProgress() {
	select {
	case d.progress <- struct{}{}:
	default:
	}
}

// Shutdown ends Run, which must have been called: it takes no more events, waits until ctx ends for those in flight,
// and trims the outbox once more. Whoever wants the outbox published first calls Drain before.
func (d *Dispatcher) Shutdown(ctx context.Context) {
	d.quit()
	<-d.stopped
	d.awaitInFlight(ctx)
	d.trimmer.finish(ctx)
}

// awaitInFlight waits until ctx ends for events in flight.
func (d *Dispatcher) awaitInFlight(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.inFlight.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
