package cluster

import (
	"errors"
	"fmt"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// appendTrace appends what stands before a callback that is in a trace; nothing where it is in none.
func appendTrace(dst []byte, t *bridge.Trace) []byte {
	if t == nil {
		return dst
	}
	dst = append(append(dst, byte(recordTraced), t.Flags), t.TraceID[:]...)
	return record.AppendText(append(dst, t.SpanID[:]...), t.State)
}

// readTraced reads a callback behind its place in a trace.
func readTraced(value []byte) (intakeRecord, error) {
	head := record.NewReader(value, nil)
	t := &bridge.Trace{Flags: head.Byte(), TraceID: head.Bytes16(), SpanID: [8]byte(head.Take(8)), State: head.Text()}
	if head.Err() != nil || len(t.State) > bridge.MaxTraceState {
		return intakeRecord{}, fmt.Errorf("intake record: its trace cannot be read: %w", head.Err())
	}
	r, err := readIntakeRecord(head.Rest())
	if err == nil && r.kind != recordCallback {
		err = errors.New("intake record: a trace of what is no callback")
	}
	if err == nil {
		r.input.Arrival.Event.Trace = t
	}
	return r, err
}

// traced begins the spans of an attempt to publish events. It returns what is to be published: copies that are under
// these spans, or the events themselves and no spans when tracing is off.
func (o *owner) traced(events []*bridge.Event) ([]*bridge.Event, []bridge.Span) {
	if o.opts.Tracer == nil || len(events) == 0 {
		return events, nil
	}
	sent, spans := make([]*bridge.Event, len(events)), make([]bridge.Span, len(events))
	for i, e := range events {
		spans[i] = o.opts.Tracer.Publish(e)
		under := *e
		under.Trace = spans[i].Trace()
		sent[i] = &under
	}
	return sent, spans
}

// endSpans ends the spans of an attempt. Where one event is rejected, the others are published with the next attempt.
func endSpans(spans []bridge.Span, err error) {
	if len(spans) == 0 {
		return
	}
	var one *bridge.RejectedEvent
	errors.As(err, &one)
	for i, span := range spans {
		of := err
		if one != nil && i != one.Index {
			of = bridge.Unavailable("another event of the commit was rejected")
		}
		span.End(bridge.SpanResult{Err: of})
	}
}
