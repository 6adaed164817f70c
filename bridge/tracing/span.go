package tracing

import (
	"context"
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"livebridge/bridge"
)

func sdkVersion() string { return sdk.Version() }

// received is the span of a callback's request.
type received struct {
	tracer trace.Tracer
	ctx    context.Context // of what is under it
	span   trace.Span
	place  *bridge.Trace
}

// Trace implements bridge.Span.
func (r *received) Trace() *bridge.Trace { return r.place }

// End implements bridge.Span. It makes the span of the commit too, whose times are known by now.
func (r *received) End(result bridge.SpanResult) {
	if !r.span.IsRecording() {
		r.span.End()
		return
	}
	if !result.CommitBegin.IsZero() {
		r.commit(&result)
	}
	r.span.SetAttributes(semconv.HTTPResponseStatusCode(result.Status))
	if result.Event != nil {
		r.span.SetAttributes(eventAttributes(result.Event)...)
	}
	if result.Decision != "" {
		r.span.SetAttributes(attribute.String("livebridge.decision", result.Decision))
	}
	if result.Refusal != "" {
		r.span.SetAttributes(attribute.String("livebridge.refusal", result.Refusal))
	}
	if result.Status >= http.StatusInternalServerError {
		r.span.SetAttributes(semconv.ErrorTypeKey.String(strconv.Itoa(result.Status)))
		r.span.SetStatus(codes.Error, result.Refusal)
	}
	r.span.End()
}

// commit makes the span of the wait for the journal.
func (r *received) commit(result *bridge.SpanResult) {
	_, s := r.tracer.Start(r.ctx, "commit", trace.WithTimestamp(result.CommitBegin))
	if result.Decision == "" {
		s.SetAttributes(semconv.ErrorTypeKey.String(result.Refusal))
		s.SetStatus(codes.Error, "")
	}
	s.End(trace.WithTimestamp(result.CommitEnd))
}

// published is the span of an attempt to publish an event.
type published struct {
	span  trace.Span
	place *bridge.Trace
}

// Trace implements bridge.Span.
func (p *published) Trace() *bridge.Trace { return p.place }

// End implements bridge.Span.
func (p *published) End(result bridge.SpanResult) {
	switch {
	case result.Err == nil:
	case bridge.IsRejected(result.Err):
		p.span.SetAttributes(semconv.ErrorTypeKey.String(string(bridge.DeadLetterOf(result.Err).DeadLetter)))
		p.span.SetStatus(codes.Error, "rejected for good: the event is a dead letter")
	default:
		p.span.SetAttributes(semconv.ErrorTypeKey.String("unavailable"))
		p.span.SetStatus(codes.Error, "it is published again later")
	}
	p.span.End()
}

// eventAttributes say which event a span is about: none of its data.
func eventAttributes(e *bridge.Event) []attribute.KeyValue {
	out := append(make([]attribute.KeyValue, 0, 12), semconv.CloudEventsEventType(e.Type),
		attribute.String("livebridge.kind", e.Lane.Kind.String()))
	if e.ID != (bridge.ID{}) { // with many replicas that of some is found later
		out = append(out, semconv.CloudEventsEventID(string(e.AppendID(nil))))
	}
	switch {
	case e.Subject != "": // of a notice
		out = append(out, semconv.CloudEventsEventSubject(e.Subject))
	case !e.Quarantined():
		out = append(out, semconv.CloudEventsEventSubject(e.Lane.Subject()))
	}
	if e.Sequence != 0 {
		out = append(out, attribute.Int64("livebridge.sequence", int64(e.Sequence)))
	}
	if marks := e.Marks.List(); len(marks) > 0 {
		out = append(out, attribute.StringSlice("livebridge.marks", marks))
	}
	return out
}
