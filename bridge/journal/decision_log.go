package journal

import (
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/tally"
)

// report counts and logs what the effects have more than before: the decisions on callbacks, and the events that were
// put into the outbox. Their commit follows.
func (j *Journal) report(c *commit) {
	eff, was := &c.effects, &c.reported
	for _, e := range eff.Emitted[was.Emitted:] {
		j.logEmitted(e)
	}
	for _, d := range eff.Decisions[was.Decisions:] {
		j.logDecision(d)
	}
	for i := range eff.Quarantined[was.Quarantined:] {
		c.quarantined = append(c.quarantined, tally.QuarantinedFields(&eff.Quarantined[was.Quarantined+i]))
	}
	j.metrics.Count(eff, was)
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
