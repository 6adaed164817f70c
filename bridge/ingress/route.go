package ingress

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"livebridge/bridge"
)

// route builds the routes and the answers where there is none. Echo routes and no more: no middleware, no logger.
func (s *Server) route() {
	s.echo = echo.New()
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.HTTPErrorHandler = func(err error, c echo.Context) { s.settle(c, nobody, outcome{err: err}) }
	prefix := s.cfg.prefix()
	s.post(prefix+"/live/stream", s.handle(bridge.KindStream))
	s.post(prefix+"/live/record", s.handle(bridge.KindRecord))
	s.post(prefix+"/rtc/record", s.handle(bridge.KindRTCRecord))
	if s.cfg.SnapshotToken != "" {
		s.post(prefix+"/live/snapshot/:token", s.guard(s.handle(bridge.KindSnapshot)))
	}
}

// post adds a route. Echo would answer OPTIONS by itself, and only POST is for us.
func (s *Server) post(path string, h echo.HandlerFunc) {
	s.echo.POST(path, h)
	s.echo.OPTIONS(path, func(c echo.Context) error {
		c.Response().Header().Set("Allow", http.MethodPost)
		return errMethod
	})
}

// guard lets requests through that carry the snapshot token. Both sides are hashed, so that neither the length nor
// a common beginning shows in the time it takes.
func (s *Server) guard(next echo.HandlerFunc) echo.HandlerFunc {
	want := sha256.Sum256([]byte(s.cfg.SnapshotToken))
	return func(c echo.Context) error {
		got := sha256.Sum256([]byte(c.Param("token")))
		if subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			return next(c)
		}
		s.settle(c, sender(bridge.KindSnapshot), outcome{err: errToken})
		return nil
	}
}

// handle answers the callbacks of one kind.
func (s *Server) handle(k bridge.Kind) echo.HandlerFunc {
	seconds := s.metrics.seconds.WithLabelValues(k.String())
	return func(c echo.Context) error {
		start := time.Now()
		s.settle(c, sender(k), s.takeSafely(c.Response().Writer, c.Request(), k))
		seconds.Observe(time.Since(start).Seconds())
		return nil
	}
}
