package nats

import (
	"encoding/json"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// debug reports whether each event is logged.
func (o *Options) debug() bool { return o.Log.Core().Enabled(zap.DebugLevel) }

// handlerOf returns the handler of an event's acknowledgement, which logs it at the level debug.
func (p *Publisher) handlerOf(e *bridge.Event, to *stream, done func(error)) ackHandler {
	if !p.opts.debug() {
		return doneHandler(done)
	}
	return &loggingHandler{log: p.opts.Log, stream: to.want.Name, event: e, done: done}
}

// loggingHandler logs where the server stored an event.
type loggingHandler struct {
	log    *zap.Logger
	stream string
	event  *bridge.Event
	done   func(error)
}

func (h *loggingHandler) handleAck(answer *nats.Msg, err error) {
	var ack struct {
		Sequence  uint64 `json:"seq"`
		Duplicate bool   `json:"duplicate"`
	}
	if err == nil && answer != nil && json.Unmarshal(answer.Data, &ack) == nil {
		h.log.Debug("event stored by NATS", zap.Stringer("id", h.event.ID), zap.Uint64("sequence", h.event.Sequence),
			zap.String("stream", h.stream), zap.Uint64("stream_sequence", ack.Sequence), zap.Bool("duplicate", ack.Duplicate))
	}
	h.done(err)
}
