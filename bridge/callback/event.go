package callback

import (
	"cmp"

	"livebridge/bridge"
)

// redactionGrowth is by how much redaction can lengthen the data.
const redactionGrowth = 2 * len(`"[redacted]"`)

// Event makes the canonical event, without Scheme, Recorded, Sequence and Marks. When its ID depends on the time of the
// commit, it has none yet and follows from the identity returned (bridge.Arrival.Identity); otherwise that is nil. now
// is the wall clock. Everything returned stays valid after Release.
//
// Session is set whenever a known event name of a stream comes with one, however far ahead: whether it can order the
// event is for the commit to say (bridge.Sequenced).
func (c *Callback) Event(p Policy, nonce Nonce, now bridge.Millis) (bridge.Event, *bridge.Identity) {
	c.data = c.appendData(c.data[:0], Policy{})
	id, later := c.identify(nonce, now)
	return bridge.Event{
		ID:       id,
		Type:     c.event.ceType,
		Lane:     c.Lane,
		Session:  c.session,
		Phase:    c.event.phase,
		Occurred: c.occurred(now),
		Data:     c.appendData(make([]byte, 0, len(c.data)+redactionGrowth), p),
	}, later
}

// occurred returns the time of the occurrence, 0 where the body has none: a session too far ahead is not trusted.
func (c *Callback) occurred(now bridge.Millis) bridge.Millis {
	if c.event.phase == bridge.PhasePublish && bridge.Sequenced(c.session, now) {
		return c.session
	}
	return cmp.Or(c.end, c.start)
}
