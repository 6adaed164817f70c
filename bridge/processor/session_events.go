package processor

import (
	"livebridge/bridge"
	"livebridge/bridge/session"
)

// followSession notes what an event of stream status that is emitted says of its session. Only what is emitted in order
// opens one; any end ends it, also a late one.
func (p *Processor) followSession(l *lane, e *bridge.Event) error {
	const aside = bridge.MarkReopened | bridge.MarkReplayed | bridge.MarkUnsequenced
	switch {
	case !p.opts.SessionEvents || l.Name.Kind != bridge.KindStream || e.Marks&aside != 0:
		return nil
	case e.Phase == bridge.PhaseDone:
		return p.endSession(l, e)
	case e.Phase == bridge.PhasePublish && !e.Marks.Has(bridge.MarkLate):
		l.put(Session{Session: e.Session, Started: e.Recorded, StartMarks: e.Marks})
		return p.limitSessions(l)
	}
	return nil
}

// endSession derives the event of a session that has ended. A lane that does not remember the session may have told of
// its end before.
func (p *Processor) endSession(l *lane, e *bridge.Event) error {
	s := Session{Session: e.Session}
	i, found := l.session(e.Session)
	if found {
		s = l.Sessions[i]
	}
	if s.Ended != 0 {
		return nil
	}
	s.Ended = e.Recorded
	l.put(s)
	ended := session.Ended(session.PushOf(l.Name, e.Session), session.Ends{
		Started: s.Started, Ended: s.Ended, StartMarks: s.StartMarks, EndMarks: e.Marks,
	})
	if found {
		p.derived = append(p.derived, ended)
	} else if err := p.deriveOnce(ended); err != nil {
		return err
	}
	return p.limitSessions(l)
}

// limitSessions forgets the earliest session of a lane that has too many. If its end is missing, that is told first:
// nobody would notice later.
func (p *Processor) limitSessions(l *lane) error {
	if len(l.Sessions) <= SessionsKept {
		return nil
	}
	earliest := l.Sessions[0]
	l.Sessions = l.Sessions[1:]
	if p.opts.SessionStaleAfter <= 0 || !earliest.unended() {
		return nil
	}
	return p.deriveOnce(staleEvent(l, earliest, session.CauseSuperseded))
}

func staleEvent(l *lane, s Session, c session.Cause) bridge.Event {
	return session.Stale(session.PushOf(l.Name, s.Session), c, s.Started)
}

// deriveOnce derives an event unless its identity is known.
func (p *Processor) deriveOnce(e bridge.Event) error {
	known, err := p.knows(e.ID)
	if err == nil && !known {
		p.derived = append(p.derived, e)
	}
	return err
}

// staleSessions derives the events of a lane's sessions whose end has been missing for SessionStaleAfter.
func (p *Processor) staleSessions(name bridge.Lane, now Moment, eff *Effects) error {
	l, err := p.lanes.get(name, now)
	if err != nil || p.opts.SessionStaleAfter <= 0 {
		return err
	}
	after, found := bridge.Millis(p.opts.SessionStaleAfter.Milliseconds()), false
	for _, s := range l.Sessions {
		if !s.due(now.Millis(), after) {
			continue
		}
		if err := p.deriveOnce(staleEvent(l, s, session.CauseTimeout)); err != nil {
			return err
		}
		s.Stale, found = true, true
		l.put(s)
	}
	if found {
		p.touch(l, eff)
	}
	return p.emitDerived(eff)
}

// emitDerived emits what was derived, each in the lane of its kind, behind what it was derived from.
func (p *Processor) emitDerived(eff *Effects) error {
	derived := p.derived
	p.derived = nil // nothing is derived from a derived event
	for i := range derived {
		e := &derived[i]
		e.Recorded = eff.Now.Millis()
		p.know(e.ID, e.Recorded, eff)
		l, err := p.lanes.get(e.Lane, eff.Now)
		if err != nil {
			return err
		}
		l.Touched = e.Recorded
		if _, err := p.apply(l, arrivalOf(e, eff.Now), e, eff); err != nil {
			return err
		}
	}
	return nil
}

// correlate gives an event of a recorded file the session that it belongs to, by its own time, as far as the stream's
// lane knows it by now.
func (p *Processor) correlate(e *bridge.Event, now Moment) error {
	if !p.opts.SessionEvents || e.Lane.Kind != bridge.KindRecord || e.Occurred == 0 || e.Unknown() {
		return nil
	}
	name := e.Lane
	name.Kind = bridge.KindStream
	l, err := p.lanes.peek(name, now)
	if err != nil {
		return err
	}
	at := e.Occurred
	if e.Type != fileComplete {
		at++ // the beginning of a file can be that of its push; the end of one cannot
	}
	e.Session = l.sessionBefore(at)
	return nil
}

// fileComplete is the type of the events whose time is the end of a file.
const fileComplete = "com.huaweicloud.live.record.file_complete"
