package journal

import (
	"livebridge/bridge/sequencer"
)

// expire lets every deadline that has passed take effect, nearest first, each at its own instant.
func (c *commit) expire() error {
	for {
		l, deadline := c.j.holds.nearest()
		if l == nil || deadline > c.clock.instant() {
			return nil
		}
		in := sequencer.Input{Action: sequencer.Expire, At: deadline, Wall: c.clock.millis(), Kind: l.name.Kind}
		if _, err := c.apply(l, in, nil); err != nil {
			return err
		}
	}
}

// releaseOverflow emits the smallest event of the lane with the nearest deadline while too much is held in all.
func (c *commit) releaseOverflow() error {
	for c.j.holds.held > c.j.opts.HeldMax {
		l, _ := c.j.holds.nearest()
		in := sequencer.Input{Action: sequencer.Overflow, At: c.clock.instant(), Wall: c.clock.millis(), Kind: l.name.Kind}
		if _, err := c.apply(l, in, nil); err != nil {
			return err
		}
	}
	return nil
}
