package ingress

import (
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// beginSpan begins the span of a callback's request; nil when tracing is off. Only a trusted proxy is believed which
// trace a request is in: anybody else could have everything sampled, or mix what they send into the traces of others.
func (s *Server) beginSpan(r *http.Request, k bridge.Kind, route string) bridge.Span {
	if s.cfg.Tracer == nil {
		return nil
	}
	var from bridge.TraceHeaders
	if contains(s.sources.trusted, addressOf(r.RemoteAddr)) {
		from = traceHeaders(r.Header)
	}
	return s.cfg.Tracer.Receive(k, route, from)
}

// traceHeaders returns what a request says of its trace. More than one traceparent says nothing.
func traceHeaders(h http.Header) (from bridge.TraceHeaders) {
	parents := h["Traceparent"]
	if len(parents) != 1 {
		return from
	}
	from.Parent = parents[0]
	if states := strings.Join(h["Tracestate"], ","); len(states) <= bridge.MaxTraceState {
		from.State = states
	}
	return from
}

// trace returns where the request is in its trace; nil when tracing is off.
func (o *outcome) trace() *bridge.Trace {
	if o.span == nil {
		return nil
	}
	return o.span.Trace()
}

// endSpan ends the span of the request, if there is one.
func (o *outcome) endSpan() {
	if o.span == nil {
		return
	}
	o.result.Status = http.StatusOK
	switch {
	case o.refusal != nil:
		o.result.Status, o.result.Refusal = o.refusal.Status, o.refusal.Reason
	case o.ignored:
		o.result.Decision = "ignored"
	case o.probe != nil:
		o.result.Decision = "probe"
	}
	o.span.End(o.result)
}

// observe counts a duration, with the trace as its exemplar where there is one that is recorded.
func observe(h prometheus.Observer, took time.Duration, t *bridge.Trace) {
	if e, able := h.(prometheus.ExemplarObserver); able && t != nil && t.Sampled() {
		e.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": t.ID()})
		return
	}
	h.Observe(took.Seconds())
}
