package processor

import (
	"slices"

	"livebridge/bridge"
)

// forget forgets what has had its time: identities, signatures, quarantine entries, and those of the idle lanes that
// have been so for long enough. It tells of sessions whose end is missing before.
func (p *Processor) forget(in *Input, eff *Effects) error {
	now := in.Now
	for _, name := range in.Unended {
		if err := p.staleSessions(name, now, eff); err != nil {
			return err
		}
	}
	p.forgetIdentities(now.Millis(), eff)
	p.forgetSignatures(now.Millis(), eff)
	p.forgetQuarantined(now.Millis(), eff)
	for _, name := range in.Idle {
		if err := p.forgetLane(name, now, eff); err != nil {
			return err
		}
	}
	return nil
}

// forgetLane forgets one lane if it is old enough, these effects have nothing of it, and none of its sessions is to be
// reported stale later.
func (p *Processor) forgetLane(name bridge.Lane, now Moment, eff *Effects) error {
	l, err := p.lanes.get(name, now)
	if err != nil || l.changed != unchanged || !l.Forgettable(now.Millis()) {
		return err
	}
	if p.opts.SessionStaleAfter > 0 && slices.ContainsFunc(l.Sessions, Session.unended) {
		return nil
	}
	p.lanes.forget(name)
	p.counters.Floor = max(p.counters.Floor, l.State.Sequence)
	eff.Forgotten = append(eff.Forgotten, name)
	return nil
}
