package ingress

import (
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"livebridge/bridge"
)

// success is the response that the provider's documentation shows.
const success = `{"status":1,"result":"success"}`

// kindLabel is the kind of a request, noKind for requests without one.
type kindLabel bridge.Kind

const noKind kindLabel = 0

// String returns the kind's name, or "none".
func (s kindLabel) String() string {
	if s == noKind {
		return "none"
	}
	return bridge.Kind(s).String()
}

// refusedRequest is what may be logged of a rejected request: neither its signature nor its body.
type refusedRequest struct {
	remote string // the peer
	source origin // the peer, or the client of a trusted proxy
	path   string // only if there is no route
	lane   bridge.Lane
	event  string
	why    *Refusal
	trace  *bridge.Trace // nil: tracing is off
}

// respond counts the outcome and sends the response.
func (s *Server) respond(c echo.Context, k kindLabel, o outcome) {
	w := c.Response().Writer
	w.Header()["Content-Type"] = s.json
	s.announceClose(w)
	if o.probe != nil {
		s.answerProbe(w, k, o.probe)
		return
	}
	if o.refusal != nil {
		s.refuse(k, refusedRequest{
			remote: c.Request().RemoteAddr, source: s.sources.of(c.Request()),
			path: c.Request().URL.Path, lane: o.lane, event: o.event, why: o.refusal,
			trace: o.trace(),
		})
		o.refusal.write(w, s.cfg.retryAfter())
		return
	}
	if o.ignored {
		s.metrics.ignored[k].Inc()
	} else {
		s.metrics.accepted[k].Inc()
	}
	s.metrics.lastCallback.set(k, s.cfg.Now())
	_, _ = io.WriteString(w, success) // the client may have gone; the journal has the callback
}

// announceClose has the client open a new connection for its next request, after CloseConnections.
func (s *Server) announceClose(w http.ResponseWriter) {
	if s.closing.Load() {
		w.Header().Set("Connection", "close")
	}
}

// refuse counts and logs a refusal.
func (s *Server) refuse(k kindLabel, r refusedRequest) {
	s.metrics.count(k, r.why, 1)
	if r.why.Status == http.StatusNotFound || r.why.Status == http.StatusMethodNotAllowed {
		r.path = s.paths.masked(r.path)
	} else {
		r.path = ""
	}
	s.report.refused(k, r)
	s.remember(k, r)
}
