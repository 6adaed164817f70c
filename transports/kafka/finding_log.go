package kafka

import (
	"maps"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// finding is what a look at a topic has found to be wrong.
type finding struct {
	text  string
	err   error
	alarm bool // nothing is published to the topic while it lasts
}

// key tells a finding from others: what an error was in the first place, without the broker's address.
func (f finding) key() string {
	if f.err == nil {
		return f.text
	}
	return f.text + rootCause(f.err).Error()
}

// findingLog logs findings: each when it is new, or comes back, and those that are alarms again while they last. The
// zero notices have logged nothing.
type findingLog struct {
	logged  map[string]time.Time
	alarmed bool
}

// report takes all findings of one look.
func (n *findingLog) report(log *zap.Logger, remind time.Duration, found []finding) {
	if n.logged == nil {
		n.logged = make(map[string]time.Time)
	}
	current, alarmed := make(map[string]bool), false
	for _, f := range found {
		key := f.key()
		current[key], alarmed = true, alarmed || f.alarm
		last, before := n.logged[key]
		if before && (!f.alarm || time.Since(last) < remind) {
			continue
		}
		n.logged[key] = time.Now()
		level := zapcore.WarnLevel
		if f.alarm {
			level = zapcore.ErrorLevel
		}
		log.Log(level, f.text, zap.Error(f.err))
	}
	maps.DeleteFunc(n.logged, func(key string, _ time.Time) bool { return !current[key] })
	if n.alarmed && !alarmed {
		log.Info("topic is available again")
	}
	n.alarmed = alarmed
}
