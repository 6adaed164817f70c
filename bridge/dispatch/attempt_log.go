package dispatch

import (
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
)

// logAttempt logs the outcome of publishing one event. Where the broker stored it is logged by the transport.
func (d *Dispatcher) logAttempt(e *bridge.Event, err error, took time.Duration) {
	message := "event published"
	if err != nil {
		message = "event not published"
	}
	if line := d.log.Check(zap.DebugLevel, message); line != nil {
		line.Write(zap.Stringer("id", e.ID), zap.Stringer("lane", e.Lane), zap.Uint64("sequence", e.Sequence),
			zap.Duration("took", took), zap.Error(err))
	}
}
