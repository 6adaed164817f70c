package kafka

import (
	"maps"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// finding is a problem that a check of a topic has found.
type finding struct {
	text  string
	err   error
	alarm bool // nothing is published to the topic while it lasts
}

// key identifies a finding by its text and the root cause of its error, which does not name the broker.
func (f finding) key() string {
	if f.err == nil {
		return f.text
	}
	return f.text + rootCause(f.err).Error()
}

// findingLog logs each finding when it appears, and alarms repeatedly while they last. The zero value has logged
// nothing.
type findingLog struct {
	logged  map[string]time.Time
	alarmed bool
}

// report logs the findings of one check.
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
