package ingress

import (
	"time"

	"github.com/labstack/echo/v4"

	"livebridge/bridge"
)

// tokenParam is the segment of a path that has the snapshot token.
const tokenParam = "token"

// route adds the routes and the handler of errors. Echo is used for routing only.
func (s *Server) route() {
	s.echo = echo.New()
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.HTTPErrorHandler = func(err error, c echo.Context) { s.respond(c, noKind, outcome{refusal: routeRefusal(err)}) }
	s.echo.Pre(s.answerHealth, s.admit)
	prefix := s.cfg.prefix()
	s.add(prefix+"/live/stream", bridge.KindStream)
	s.add(prefix+"/live/record", bridge.KindRecord)
	s.add(prefix+"/rtc/record", bridge.KindRTCRecord)
	if s.cfg.SnapshotToken != "" {
		s.add(prefix+"/live/snapshot/:"+tokenParam, bridge.KindSnapshot)
	}
}

// add adds the route of one kind: for callbacks and for probes of load balancers. Echo answers OPTIONS with the methods
// that it sends with a 405.
func (s *Server) add(path string, k bridge.Kind) {
	s.echo.POST(path, s.checkRoute(k, s.handle(k, path)))
	s.echo.GET(path, s.checkRoute(k, s.probe(k)))
	s.echo.HEAD(path, s.checkRoute(k, s.probe(k)))
}

// checkRoute rejects requests without the snapshot token, before their body is read.
func (s *Server) checkRoute(k bridge.Kind, next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if refused := s.cfg.judgeRoute(k, c.Param(tokenParam)); refused != nil {
			s.respond(c, kindLabel(k), outcome{refusal: refused})
			return nil
		}
		return next(c)
	}
}

// admit cleans the path, and rejects requests from outside AllowSources and HTTP/2 requests beyond the limit: one
// connection carries many of them, and the limiter counts connections only.
func (s *Server) admit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		closeIfAmbiguous(c.Response().Writer, r)
		cleanPath(r.URL)
		if refused := s.sources.check(r); refused != nil {
			s.respond(c, noKind, outcome{refusal: refused})
			return nil
		}
		if r.ProtoMajor < 2 {
			return next(c)
		}
		select {
		case s.inFlight <- struct{}{}:
			defer func() { <-s.inFlight }()
			return next(c)
		default:
			s.respond(c, noKind, outcome{refusal: errTooManyRequests})
			return nil
		}
	}
}

// handle returns the handler for callbacks of one kind.
func (s *Server) handle(k bridge.Kind, route string) echo.HandlerFunc {
	duration := s.metrics.duration.WithLabelValues(k.String())
	return func(c echo.Context) error {
		start := time.Now()
		span := s.beginSpan(c.Request(), k, route)
		o := s.handleCallback(c.Response().Writer, c.Request(), k, c.Param(tokenParam), span)
		s.respond(c, kindLabel(k), o)
		observe(duration, time.Since(start), o.trace())
		o.endSpan()
		return nil
	}
}
