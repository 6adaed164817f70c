package ingress

import (
	"net/http"
	"time"

	"livebridge/bridge"
)

// outcome is the outcome of a request that was judged: stored, ignored because of IGNORE_STREAMS, or refused.
type outcome struct {
	lane    bridge.Lane // of the body, if it could be decoded
	event   string      // likewise
	ignored bool
	probe   *verifiedProbe // no callback, but one of these
	refusal *Refusal       // nil: 200

	span   bridge.Span // nil: tracing is off
	result bridge.SpanResult
}

// handleCallback turns a panic into an outcome, so that it costs only one request. That request's buffers are not
// reused, since something may still refer to them.
func (s *Server) handleCallback(
	w http.ResponseWriter, r *http.Request, k bridge.Kind, token string, span bridge.Span,
) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			s.report.panicked(k, p)
			o = outcome{refusal: errPanic}
		}
		o.span = span
	}()
	req := Request{Method: r.Method, Kind: k, Token: token, Header: r.Header}
	b := s.buffers.get()
	refused := b.read(w, r, s.cfg.MaxBody)
	req.Body = b.bytes
	switch {
	case refused != nil:
		o = outcome{refusal: refused}
	case s.isProbe(&o, &req):
	default:
		now := s.cfg.Now()
		v := s.cfg.Judge(req, s.ring.Load(), now)
		s.metrics.expiries.observe(&v, now)
		o = s.store(v, span)
	}
	s.buffers.put(b)
	return o
}

// store appends the callback to the journal if the verdict says so. Only a journal that has done it makes it a 200.
func (s *Server) store(v Verdict, span bridge.Span) outcome {
	o := outcome{lane: v.Lane, event: v.EventName, ignored: v.Ignored, refusal: v.Refusal}
	if v.Arrival == nil {
		return o
	}
	var err error
	if span == nil {
		err = s.journal.Append(s.ctx, v.Arrival)
	} else {
		err = s.appendTraced(v.Arrival, span, &o.result)
	}
	if err != nil {
		o.refusal = journalRefusal(err)
	}
	return o
}

// appendTraced appends a callback to the journal and notes what its span shows of that.
func (s *Server) appendTraced(a *bridge.Arrival, span bridge.Span, r *bridge.SpanResult) error {
	a.Event.Trace, r.CommitBegin = span.Trace(), time.Now()
	err := s.journal.Append(s.ctx, a)
	r.CommitEnd = time.Now()
	if err == nil {
		r.Event, r.Decision = &a.Event, a.Decision
	}
	return err
}
