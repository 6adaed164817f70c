package nats

import (
	"encoding/json"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// debug reports whether each event is logged.
func (o *Options) debug() bool { return o.Log.Core().Enabled(zap.DebugLevel) }

// ReportPositions implements bridge.PositionReporter.
func (p *Publisher) ReportPositions(stored func(*bridge.Event, bridge.Position)) {
	p.stored = stored
	if p.batches != nil {
		p.batches.stored = p.reportStored
	}
}

// reportStored reports the sequence that an event has in the stream of events.
func (p *Publisher) reportStored(e *bridge.Event, sequence uint64) {
	p.stored(e, p.positionOf(e, p.streams.events, int64(sequence)))
}

func (p *Publisher) positionOf(e *bridge.Event, in *stream, sequence int64) bridge.Position {
	return bridge.Position{Topic: in.want.Name, Subject: p.opts.subject(e), Partition: -1, Offset: sequence}
}

// handlerOf returns the handler of an event's acknowledgement, which reports its position and logs it at the level
// debug.
func (p *Publisher) handlerOf(e *bridge.Event, to *stream, done func(error)) ackHandler {
	if p.stored == nil && !p.opts.debug() {
		return doneHandler(done)
	}
	return &storedHandler{publisher: p, stream: to, event: e, done: done}
}

// storedHandler tells where the server stored an event.
type storedHandler struct {
	publisher *Publisher
	stream    *stream
	event     *bridge.Event
	done      func(error)
}

func (h *storedHandler) handleAck(answer *nats.Msg, err error) {
	var ack struct {
		Sequence  uint64 `json:"seq"`
		Duplicate bool   `json:"duplicate"`
	}
	p := h.publisher
	if err == nil && answer != nil && json.Unmarshal(answer.Data, &ack) == nil {
		if p.stored != nil {
			p.stored(h.event, p.positionOf(h.event, h.stream, int64(ack.Sequence)))
		}
		p.opts.Log.Debug("event stored by NATS", zap.Stringer("id", h.event.ID), zap.Uint64("sequence", h.event.Sequence),
			zap.String("stream", h.stream.want.Name), zap.Uint64("stream_sequence", ack.Sequence),
			zap.Bool("duplicate", ack.Duplicate))
	}
	h.done(err)
}
