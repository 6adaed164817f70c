package journal

import (
	"time"

	"livebridge/bridge"
)

// Drained reports whether the broker has acknowledged every event of the outbox that was recorded at a moment or before
// it, whatever was emitted since. It is for a shutdown that accepts callbacks meanwhile: Pending may never be 0 then.
func (j *Journal) Drained(at time.Time) bool { return j.outbox.drained(bridge.MillisOf(at)) }

// drained reads the first event of each lane. What is on disk only may be of any age.
func (o *outbox) drained(at bridge.Millis) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.depth == 0 {
		return true
	}
	if o.spilled {
		return false
	}
	for _, l := range o.lanes {
		first := l.underWay.event
		if first == nil && len(l.events) > 0 {
			first = l.events[0].event
		}
		if first != nil && first.Recorded <= at {
			return false
		}
	}
	return true
}
