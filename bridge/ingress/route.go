package ingress

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"github.com/labstack/echo/v4"

	"livebridge/bridge"
)

// route adds the routes and the handler of errors. Echo is used for routing only.
func (s *Server) route() {
	s.echo = echo.New()
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.HTTPErrorHandler = func(err error, c echo.Context) { s.respond(c, noKind, outcome{err: err}) }
	s.echo.Pre(s.answerHealth, s.admit)
	prefix := s.cfg.prefix()
	pass := func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	s.add(prefix+"/live/stream", bridge.KindStream, pass)
	s.add(prefix+"/live/record", bridge.KindRecord, pass)
	s.add(prefix+"/rtc/record", bridge.KindRTCRecord, pass)
	if s.cfg.SnapshotToken != "" {
		s.add(prefix+"/live/snapshot/:token", bridge.KindSnapshot, s.requireToken)
	}
}

// add adds the route of one kind: for callbacks and for probes of load balancers. Echo answers OPTIONS with the methods
// that it sends with a 405.
func (s *Server) add(path string, k bridge.Kind, guard func(echo.HandlerFunc) echo.HandlerFunc) {
	s.echo.POST(path, guard(s.handle(k)))
	s.echo.GET(path, guard(s.probe(k)))
	s.echo.HEAD(path, guard(s.probe(k)))
}

// admit cleans the path, and rejects requests from outside AllowSources and HTTP/2 requests beyond the limit: one
// connection carries many of them, and the limiter counts connections only.
func (s *Server) admit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		closeIfAmbiguous(c.Response().Writer, r)
		cleanPath(r.URL)
		if err := s.sources.check(r); err != nil {
			s.respond(c, noKind, outcome{err: err})
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
			s.respond(c, noKind, outcome{err: errTooManyRequests})
			return nil
		}
	}
}

// requireToken rejects requests without the snapshot token. Both sides are hashed, so that timing reveals neither the
// token's length nor a common prefix.
func (s *Server) requireToken(next echo.HandlerFunc) echo.HandlerFunc {
	want := sha256.Sum256([]byte(s.cfg.SnapshotToken))
	return func(c echo.Context) error {
		got := sha256.Sum256([]byte(c.Param("token")))
		if subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			return next(c)
		}
		s.respond(c, kindLabel(bridge.KindSnapshot), outcome{err: errToken})
		return nil
	}
}

// handle returns the handler for callbacks of one kind.
func (s *Server) handle(k bridge.Kind) echo.HandlerFunc {
	duration := s.metrics.duration.WithLabelValues(k.String())
	return func(c echo.Context) error {
		start := time.Now()
		s.respond(c, kindLabel(k), s.handleCallback(c.Response().Writer, c.Request(), k))
		duration.Observe(time.Since(start).Seconds())
		return nil
	}
}
