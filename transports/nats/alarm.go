package nats

import (
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// remindInterval is how often a lasting fault is logged again.
const remindInterval = time.Minute

// alarm logs a fault when it begins or changes, periodically while it lasts, and once when it is over.
type alarm struct {
	log *zap.Logger

	mu   sync.Mutex
	last string // empty: no fault
	at   time.Time
}

// raise logs a fault, unless the same one was logged within remindInterval.
func (a *alarm) raise(level zapcore.Level, what string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	text := what + err.Error()
	if text == a.last && time.Since(a.at) < remindInterval {
		return
	}
	a.last, a.at = text, time.Now()
	a.log.Log(level, what, zap.Error(err))
}

// clear logs the end of a fault, if there was one.
func (a *alarm) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last != "" {
		a.log.Info("stream at NATS is available again")
	}
	a.last = ""
}
