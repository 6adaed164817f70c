package dispatch

import "livebridge/bridge"

// traced begins the span of an attempt to publish an event. It returns what is to be published: a copy that is under
// this span, or the event itself and no span when tracing is off.
func (d *Dispatcher) traced(e *bridge.Event) (*bridge.Event, bridge.Span) {
	if d.opts.Tracer == nil {
		return e, nil
	}
	span := d.opts.Tracer.Publish(e)
	sent := *e
	sent.Trace = span.Trace()
	return &sent, span
}

// endSpan ends a span, if there is one.
func endSpan(span bridge.Span, err error) {
	if span != nil {
		span.End(bridge.SpanResult{Err: err})
	}
}

// traceOf returns where a span is in its trace; nil: there is no span.
func traceOf(span bridge.Span) *bridge.Trace {
	if span == nil {
		return nil
	}
	return span.Trace()
}
