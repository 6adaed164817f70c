package status

import (
	"fmt"
	"time"
)

const (
	// expiresSoon is when a certificate is a reason to look.
	expiresSoon = 14 * 24 * time.Hour
	// nearlyFull is the part of JOURNAL_MAX_BYTES from which on it is one.
	nearlyFull = 0.8
)

// judge returns how the service is, and every reason why it is not well, the worst first.
func (g *gatherer) judge(s *State) Health {
	h := Health{Level: LevelOK, Reasons: []Reason{}}
	add := func(l Level, format string, args ...any) {
		h.Reasons = append(h.Reasons, Reason{l, fmt.Sprintf(format, args...)})
		if h.Level != LevelDown {
			h.Level = l
		}
	}
	if err := g.cfg.Ready(); err != nil {
		add(LevelDown, "Callbacks are answered 503: %v.", err)
	}
	s.Broker.judge(add, s.Replica != nil)
	if s.Replica != nil {
		s.Replica.judge(add)
	}
	if s.Traffic.Lost > 0 {
		add(LevelDegraded, "Callbacks were answered 503 in the last interval; they are lost unless they are sent again.")
	}
	if s.Outbox.JournalMax > 0 && float64(s.Outbox.JournalBytes) > nearlyFull*float64(s.Outbox.JournalMax) {
		add(LevelDegraded, "The journal has reached %.0f %% of JOURNAL_MAX_BYTES; "+
			"when it is full, callbacks are answered 503.", 100*float64(s.Outbox.JournalBytes)/float64(s.Outbox.JournalMax))
	}
	if s.Review.DeadLetters > 0 {
		add(LevelDegraded, "The broker has rejected events for good; they wait among the dead letters.")
	}
	for _, c := range s.Certificates {
		if left := c.Expires.Sub(s.At); left < expiresSoon {
			add(LevelDegraded, "The certificate of %s expires on %s.", c.Setting, c.Expires.Format(time.DateOnly))
		}
	}
	for _, p := range s.Problems {
		add(LevelDegraded, "Not shown, since it cannot be read: %s.", p)
	}
	return h
}

// judge adds the reasons for which the broker does not take events, or may lose them. A replica has no outbox in which
// they wait.
func (l *Link) judge(add func(l Level, format string, args ...any), replica bool) {
	switch {
	case !l.Connected && replica:
		add(LevelDegraded, "The broker does not respond, or its topics are not usable. Nothing is published.")
	case !l.Connected:
		add(LevelDegraded, "The broker does not respond, or its stream or topic is not usable. Events wait in the outbox.")
	case !l.Available:
		add(LevelDegraded, "Publishing fails for all lanes. Events wait in the outbox.")
	}
	if t := l.Topic; t != nil && t.InSync < t.Replicas {
		add(LevelDegraded, "The topic or stream of events has %d of %d replicas in sync.", t.InSync, t.Replicas)
	}
}
