package journal

import (
	"go.uber.org/zap"

	"livebridge/bridge"
)

// The decisions on a callback, as logged.
const (
	decisionEmitted     = "emitted"
	decisionHeld        = "held"
	decisionDuplicate   = "duplicate"
	decisionQuarantined = "quarantined"
)

// logDecision logs what was decided on a callback. The commit of the decision follows.
func (c *commit) logDecision(e *bridge.Event, decision string, reason bridge.Reason) {
	line := c.j.opts.Log.Check(zap.DebugLevel, "callback decided")
	if line == nil {
		return
	}
	fields := append(eventFields(e), zap.String("decision", decision))
	if reason != "" {
		fields = append(fields, zap.String("reason", string(reason)))
	}
	line.Write(fields...)
}

// logEmitted logs an event that was put into the outbox: one that was just received, held, or released by an operator.
func (c *commit) logEmitted(e *bridge.Event) {
	line := c.j.opts.Log.Check(zap.DebugLevel, "event emitted")
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
