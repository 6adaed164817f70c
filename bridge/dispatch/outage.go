package dispatch

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// outageFailures in a row, of any lanes, or no success for outageAfter, are an outage of the broker rather than a
	// blocked lane.
	outageFailures = 64
	outageAfter    = time.Second
	// outageProbe is how often a single event is tried during an outage: a million lanes must not all retry.
	outageProbe = 20 * time.Millisecond
)

// outage detects when the broker as a whole is unavailable, logs it once, and slows attempts down until one succeeds.
type outage struct {
	log      *zap.Logger
	messages outageMessages

	mu       sync.Mutex
	failures int           // in a row, of any lanes
	since    time.Time     // the first of them
	ended    chan struct{} // closed when the broker is available again; nil while it is
}

// outageMessages are the log messages of an outage.
type outageMessages struct{ begins, ends string }

func eventMessages() outageMessages {
	return outageMessages{
		begins: "broker unavailable; callbacks are still accepted and events are retained",
		ends:   "broker available again",
	}
}

func noticeMessages() outageMessages {
	return outageMessages{
		begins: "quarantine notices cannot be published; they are retained and events are still published",
		ends:   "quarantine notices are published again",
	}
}

// recordFailure records a failed attempt.
func (o *outage) recordFailure(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failures++; o.failures == 1 {
		o.since = time.Now()
	}
	if o.ended != nil || (o.failures < outageFailures && time.Since(o.since) < outageAfter) {
		return
	}
	o.ended = make(chan struct{})
	o.log.Warn(o.messages.begins, zap.Error(err))
}

// recordSuccess records an acknowledgement.
func (o *outage) recordSuccess() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended != nil {
		o.log.Info(o.messages.ends, zap.Duration("after", time.Since(o.since)), zap.Int("failures", o.failures))
		close(o.ended)
		o.ended = nil
	}
	o.failures = 0
}

// active reports whether there is an outage.
func (o *outage) active() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended != nil
}

// awaitProbe returns at once, or during an outage after outageProbe or at its end. It returns false when ctx has ended.
func (o *outage) awaitProbe(ctx context.Context) bool {
	o.mu.Lock()
	ended := o.ended
	o.mu.Unlock()
	if ended == nil {
		return true
	}
	probe := time.NewTimer(outageProbe)
	defer probe.Stop()
	select {
	case <-ended:
	case <-probe.C:
	case <-ctx.Done():
		return false
	}
	return true
}
