package journal

import (
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// reported is how much of a commit's effects is counted and logged.
type reported struct {
	decisions, emitted, filtered, held, released, quarantined, duplicates, quarantineEvicted int
	identitiesEvicted                                                                        uint64
}

// report counts and logs what the effects have more than before: the decisions on callbacks, and the events that were
// put into the outbox. Their commit follows.
func (j *Journal) report(c *commit) {
	eff, was := &c.effects, &c.reported
	for _, e := range eff.Emitted[was.emitted:] {
		j.metrics.mark(e.Marks)
		if e.Lane.Kind == bridge.KindSession {
			j.metrics.sessions.WithLabelValues(e.Type).Inc()
		}
		j.logEmitted(e)
	}
	for _, e := range eff.Filtered[was.filtered:] {
		j.metrics.filtered.WithLabelValues(e.Type).Inc()
	}
	for _, d := range eff.Decisions[was.decisions:] {
		j.logDecision(d)
		if before := j.deliveries.note(d.Event.ID, d.Event.Recorded); d.Verdict == processor.VerdictDuplicate && before > 0 {
			j.metrics.redelivered(d.Event.Recorded - before)
		}
	}
	for _, e := range eff.Released[was.released:] {
		j.metrics.holdTimes.released(e, c.now.Millis()-e.Recorded)
	}
	for i := range eff.Quarantined[was.quarantined:] {
		q := &eff.Quarantined[was.quarantined+i]
		j.metrics.quarantined(q.What.Reason)
		c.quarantined = append(c.quarantined, quarantinedFields(q))
	}
	count(j.metrics.duplicates, eff.Duplicates-was.duplicates)
	count(j.metrics.holds, len(eff.Held)-was.held)
	count(j.metrics.quarantineDropped, eff.QuarantineEvicted-was.quarantineEvicted)
	count(j.metrics.forgottenEarly, int(eff.IdentitiesEvicted-was.identitiesEvicted))
	*was = reported{len(eff.Decisions), len(eff.Emitted), len(eff.Filtered), len(eff.Held), len(eff.Released),
		len(eff.Quarantined),
		eff.Duplicates, eff.QuarantineEvicted, eff.IdentitiesEvicted}
}

// logDecision logs what was decided on a callback.
func (j *Journal) logDecision(d processor.Decision) {
	line := j.opts.Log.Check(zap.DebugLevel, "callback decided")
	if line == nil {
		return
	}
	fields := append(eventFields(d.Event), zap.Stringer("decision", d.Verdict))
	if d.Reason != "" {
		fields = append(fields, zap.String("reason", string(d.Reason)))
	}
	line.Write(fields...)
}

// logEmitted logs an event that was put into the outbox: one that was just received, held, or released by an operator.
func (j *Journal) logEmitted(e *bridge.Event) {
	line := j.opts.Log.Check(zap.DebugLevel, "event emitted")
	if line == nil {
		return
	}
	line.Write(append(eventFields(e), zap.Uint64("sequence", e.Sequence), zap.String("marks", e.Marks.String()))...)
}

// eventFields identify an event in the log.
func eventFields(e *bridge.Event) []zap.Field {
	return []zap.Field{zap.Stringer("id", e.ID), zap.Stringer("lane", e.Lane), zap.String("type", e.Type),
		zap.Int64("session", int64(e.Session))}
}
