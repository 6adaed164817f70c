// Package admin has the admin port (probes, metrics, schemas and a status page) and the control socket with its client.
// Neither shows a secret.
package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"livebridge/schemas"
)

// Config configures the admin port.
type Config struct {
	Ready    func() error // why callbacks are not accepted; nil: they are
	Gatherer prometheus.Gatherer
	Status   Status // the status page and its JSON

	MaxConnections int         // open at once; 0: 256
	Log            *zap.Logger // nil: none
}

// Status serves every path that is none of the port's own. Close ends its responses that would go on for ever, so that
// Shutdown does not wait for them.
type Status interface {
	http.Handler
	Close()
}

// Server is the admin port.
type Server struct {
	cfg   Config
	http  *http.Server
	limit *limiter
}

// New makes a Server, which does not listen before Serve.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(cfg.Gatherer, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.Handle("GET /schemas/", http.StripPrefix("/schemas/", http.FileServerFS(schemas.Files())))
	mux.Handle("GET /", cfg.Status)
	s.limit = newLimiter(cmp.Or(cfg.MaxConnections, defaultConnections), cfg.Log, "admin port")
	s.http = newHTTP(mux, s.limit)
	s.http.RegisterOnShutdown(cfg.Status.Close)
	return s
}

// ready responds 200 when the journal accepts callbacks, whatever the state of the broker.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if err := s.cfg.Ready(); err != nil {
		write(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	write(w, http.StatusOK, "ok")
}

func write(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// newHTTP returns a server that disconnects clients that send or read nothing.
func newHTTP(h http.Handler, l *limiter) *http.Server {
	return &http.Server{
		Handler: h, ConnState: l.trackState, ErrorLog: l.standard(),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 75 * time.Second,
	}
}

// Serve serves l until Shutdown; then it returns nil.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(s.limit.on(l)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown closes the port.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }
