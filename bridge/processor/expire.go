package processor

import "livebridge/bridge/sequencer"

// expire lets every deadline that has passed take effect, nearest first, each at its own instant. Then it emits the
// smallest event of the lane with the nearest deadline while too much is held in all.
func (p *Processor) expire(now Moment, eff *Effects) error {
	for {
		l, deadline := p.holds.nearest()
		if l == nil || deadline > now.At {
			break
		}
		in := sequencer.Input{Action: sequencer.Expire, At: deadline, Wall: now.Millis(), Kind: l.Name.Kind}
		if _, err := p.apply(l, in, nil, eff); err != nil {
			return err
		}
	}
	for p.holds.held > p.opts.HeldMax {
		l, _ := p.holds.nearest()
		in := sequencer.Input{Action: sequencer.Overflow, At: now.At, Wall: now.Millis(), Kind: l.Name.Kind}
		if _, err := p.apply(l, in, nil, eff); err != nil {
			return err
		}
	}
	return nil
}
