package processor

import (
	"livebridge/bridge"
	"livebridge/bridge/session"
)

// obsolete reports whether an arriving event of a callback that is missing by the provider's list says nothing true or
// nothing new: the callback has come since the lists were taken, or waited in front of it, or the same was told before.
func (p *Processor) obsolete(e *bridge.Event, eff *Effects) (bool, error) {
	if e.Type != session.TypeMissed && e.Type != session.TypeStale {
		return false, nil
	}
	name := e.Lane
	name.Kind = bridge.KindStream
	l, err := p.lanes.get(name, eff.Now)
	if err != nil {
		return false, err
	}
	switch last := l.State.Last; {
	case e.Type == session.TypeMissed: // it occurred when its push began, or was seen first
		return last.Phase == bridge.PhasePublish && last.Session <= e.Occurred+clockSlack, nil
	case last.Phase == bridge.PhaseDone && last.Session == e.Session:
		return true, nil
	}
	return p.reportedStale(l, e.Session, eff), nil
}

// reportedStale reports whether a session without an end has one or was told before, and notes that it was: whoever
// notices first tells, and nobody else.
func (p *Processor) reportedStale(l *lane, at bridge.Millis, eff *Effects) bool {
	i, found := l.session(at)
	if !found {
		return false
	}
	s := l.Sessions[i]
	if s.Ended != 0 || s.Stale {
		return true
	}
	s.Stale = true
	l.put(s)
	p.touch(l, eff)
	return false
}
