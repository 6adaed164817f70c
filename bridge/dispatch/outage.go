package dispatch

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
)

const (
	// outageFailures in a row, of any lanes, or no success for outageAfter, are an outage of the broker rather than a
	// blocked lane.
	outageFailures = 64
	outageAfter    = time.Second
	// outageProbe is how often a single event is tried during an outage: a million lanes must not all retry.
	outageProbe = 20 * time.Millisecond
)

// outage detects when the broker as a whole is unavailable, logs its begin, its end and a reminder every
// bridge.ReminderInterval in between, and slows attempts down until one succeeds.
type outage struct {
	log      *zap.Logger
	messages outageMessages
	backlog  func() bridge.Backlog // for the log

	mu       sync.Mutex
	failures int           // in a row, of any lanes
	since    time.Time     // the first of them
	logged   time.Time     // the last line about it
	ended    chan struct{} // closed when the broker is available again; nil while it is
}

// outageMessages are the log messages of an outage.
type outageMessages struct{ begins, lasts, ends string }

func eventMessages() outageMessages {
	return outageMessages{
		begins: "broker unavailable; callbacks are still accepted and events are retained",
		lasts:  "broker still unavailable; callbacks are accepted while the journal has space",
		ends:   "broker available again",
	}
}

func noticeMessages() outageMessages {
	return outageMessages{
		begins: "quarantine notices cannot be published; they are retained and events are still published",
		lasts:  "quarantine notices still cannot be published",
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
	message := o.messages.lasts
	switch {
	case o.ended != nil && time.Since(o.logged) < bridge.ReminderInterval:
		return
	case o.ended == nil && o.failures < outageFailures && time.Since(o.since) < outageAfter:
		return
	case o.ended == nil:
		message, o.ended = o.messages.begins, make(chan struct{})
	}
	o.logged = time.Now()
	o.log.Warn(message, append(o.figures(), zap.Time("since", o.since), zap.Error(err))...)
}

// figures returns what waits for the broker, as fields of a log line.
func (o *outage) figures() []zap.Field {
	b := o.backlog()
	return []zap.Field{zap.Int("outbox_events", b.Events), zap.Duration("oldest_age", b.OldestAge),
		zap.Uint64("journal_bytes", b.JournalBytes), zap.Uint64("disk_free_bytes", b.FreeBytes)}
}

// recordSuccess records an acknowledgement.
func (o *outage) recordSuccess() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended != nil {
		o.log.Info(o.messages.ends, zap.Duration("after", time.Since(o.since)), zap.Int("failures", o.failures),
			zap.Int("retained", o.backlog().Events))
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
