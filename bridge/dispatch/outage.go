package dispatch

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// outageFailures in a row, of any lanes, and without a success for outageAfter make a broker that is away rather than
	// a lane that is stuck.
	outageFailures = 64
	outageAfter    = time.Second
	// outageProbe is how often a single event is tried then: a million lanes must not all ask a broker that is not there.
	outageProbe = 20 * time.Millisecond
)

// outage notices when the broker as a whole is away, says so once, and slows the tries down until one succeeds.
type outage struct {
	log      *zap.Logger
	messages outageMessages

	mu       sync.Mutex
	failures int           // in a row, of any lanes
	since    time.Time     // the first of them
	ended    chan struct{} // closed when the broker is back; nil while it is there
}

// outageMessages is what the log says of an outage.
type outageMessages struct{ begins, ends string }

func eventMessages() outageMessages {
	return outageMessages{
		begins: "the broker does not take events; callbacks are still accepted and events kept",
		ends:   "the broker takes events again",
	}
}

func noticeMessages() outageMessages {
	return outageMessages{
		begins: "quarantine notices cannot be published; they are retained and events are still published",
		ends:   "quarantine notices are published again",
	}
}

// recordFailure notes a try that the broker did not take.
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

// recordSuccess notes that the broker has answered.
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

// active reports whether the broker as a whole is away.
func (o *outage) active() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended != nil
}

// awaitProbe returns at once while the broker is there; else after a while, or when it is back. False: ctx has ended.
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
