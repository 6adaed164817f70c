package dispatch

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

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

// observe counts a duration, with the trace as its exemplar where there is one that is recorded.
func observe(h prometheus.Observer, took time.Duration, span bridge.Span) {
	if span != nil && span.Trace().Sampled() {
		if e, able := h.(prometheus.ExemplarObserver); able {
			e.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": span.Trace().ID()})
			return
		}
	}
	h.Observe(took.Seconds())
}
