package ingress

import (
	"fmt"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"livebridge/bridge"
)

// healthPath is where the port for callbacks answers as /readyz does, for load balancers that probe the port which they
// send to.
const healthPath = "/healthz"

// answerHealth answers health checks, wherever they come from. They are neither logged nor counted.
func (s *Server) answerHealth(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r, w := c.Request(), c.Response().Writer
		if r.URL.Path != healthPath && r.URL.Path != s.cfg.prefix()+healthPath {
			return next(c)
		}
		closeIfAmbiguous(w, r)
		s.announceClose(w)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "OPTIONS, GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return nil
		}
		if err := s.cfg.Ready(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, err)
			return nil
		}
		fmt.Fprintln(w, "ok")
		return nil
	}
}

// allowed are the methods of the routes, as Echo lists them.
const allowed = "OPTIONS, GET, HEAD, POST"

// probed is the response to a probe of a route: it is there, and no callback was sent.
const probed = `{"status":1,"result":"probe"}`

// probe returns the handler of GET and HEAD requests, by which load balancers and people look whether a route is there.
func (s *Server) probe(k bridge.Kind) echo.HandlerFunc {
	count := s.metrics.probes.WithLabelValues(k.String())
	return func(c echo.Context) error {
		w, r := c.Response().Writer, c.Request()
		if r.ContentLength != 0 { // a callback by the wrong method
			w.Header().Set("Allow", allowed)
			return errMethod
		}
		count.Inc()
		w.Header()["Content-Type"] = s.json
		s.announceClose(w)
		_, _ = io.WriteString(w, probed)
		return nil
	}
}
