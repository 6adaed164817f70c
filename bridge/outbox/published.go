package outbox

import "livebridge/bridge"

// keptAtOnce is how many bytes of published events go to the history with one commit, so that no callback waits long
// for them.
const keptAtOnce = 256 << 10

// Stored notes where the broker has stored an event that is under way. To be called before Settle, and only when
// published events are kept.
func (o *Outbox) Stored(e *bridge.Event, at bridge.Position) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stored[e.Lane] = at
}

// published returns the lane's event under way, which the broker has, as it is to be kept; nil: it is not.
func (o *Outbox) published(l *laneQueue) *Published {
	if o.opts.Published == nil {
		return nil
	}
	p := &Published{Event: l.underWay.Event, At: o.opts.Published(), Where: o.stored[l.lane]}
	delete(o.stored, l.lane)
	return p
}

// keptShare returns how many removals TakeWrites gives out at once: all, or those that keptAtOnce has room for.
func (o *Outbox) keptShare() int {
	if o.opts.Published == nil {
		return len(o.removals)
	}
	bytes := 0
	for i := range o.removals {
		if o.removals[i].Published == nil {
			continue
		}
		if bytes += o.removals[i].Bytes; bytes > keptAtOnce && i > 0 {
			return i
		}
	}
	return len(o.removals)
}
