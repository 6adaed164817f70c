package tally

import (
	"strings"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// Limits on the lines about quarantined callbacks, for each reason: whoever has captured callbacks can cause them.
const (
	quarantineLinesPerSecond = 1
	QuarantineLinesAtOnce    = 10 // of a reason that had none for a while
)

// QuarantineLog warns of callbacks that were answered as if all were well and are not published. It is used by one
// goroutine at a time, once they are durable.
type QuarantineLog struct {
	log     *zap.Logger
	reasons map[string]*quarantineLimit
}

type quarantineLimit struct {
	*rate.Limiter
	suppressed int
}

// NewQuarantineLog returns one that writes to a log.
func NewQuarantineLog(log *zap.Logger) *QuarantineLog {
	l := &QuarantineLog{log: log, reasons: make(map[string]*quarantineLimit)}
	for _, reason := range bridge.Reasons() {
		l.reasons[string(reason)] = &quarantineLimit{
			Limiter: rate.NewLimiter(quarantineLinesPerSecond, QuarantineLinesAtOnce),
		}
	}
	return l
}

// reasonKey is the name of the field that the limit goes by.
const reasonKey = "reason"

// Report logs an entry, of which QuarantinedFields has returned the fields.
func (l *QuarantineLog) Report(fields []zap.Field) {
	for _, f := range fields {
		limit := l.reasons[f.String]
		if f.Key != reasonKey || limit == nil {
			continue
		}
		if !limit.Allow() {
			limit.suppressed++
			return
		}
		if limit.suppressed > 0 {
			fields = append(fields, zap.Int("suppressed", limit.suppressed))
			limit.suppressed = 0
		}
		break
	}
	l.log.Warn("callback quarantined; it is not published unless it is released", fields...)
}

// QuarantinedFields describes an entry. Nothing of it points into the arrival.
func QuarantinedFields(q *processor.Quarantined) []zap.Field {
	e := q.Event
	return []zap.Field{
		zap.Uint64("number", q.Number), zap.Stringer("kind", e.Lane.Kind), zap.String(reasonKey, string(e.Reason)),
		zap.String("domain", logged(e.Lane.Domain)), zap.String("app", logged(e.Lane.App)),
		zap.String("stream", logged(e.Lane.Stream)), zap.String("event", logged(q.EventName)),
		zap.String("key", strings.Clone(q.Key)),
	}
}

// loggedBytes bounds texts in the log that a sender has chosen.
const loggedBytes = 128

func logged(text string) string {
	if len(text) > loggedBytes {
		return strings.ToValidUTF8(text[:loggedBytes], "") + "..."
	}
	return strings.Clone(text)
}
