// Package admin is the port for operators: probes, metrics, schemas and a status page. It binds to loopback by default
// and shows no secret.
package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"livebridge/schemas"
)

// Config is what the admin port shows.
type Config struct {
	Version  string
	Ready    func() error // nil: callbacks are taken
	Pending  func() int   // events that wait for the broker
	Gatherer prometheus.Gatherer

	MaxConnections int         // open at once; 0: 256
	Log            *zap.Logger // nil: none
}

// Server is the admin port.
type Server struct {
	cfg   Config
	http  *http.Server
	limit *limiter
}

// New makes a Server; nothing listens before Serve.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(cfg.Gatherer, promhttp.HandlerOpts{}))
	mux.Handle("GET /schemas/", http.StripPrefix("/schemas/", http.FileServerFS(schemas.Files())))
	mux.HandleFunc("GET /{$}", s.status)
	s.limit = newLimiter(cmp.Or(cfg.MaxConnections, defaultConnections), cfg.Log, "admin port")
	s.http = newHTTP(mux, s.limit)
	return s
}

// ready answers 200 when the journal takes callbacks; the broker has no say in it.
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

const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>livebridge</title></head><body>
<h1>livebridge {{.Version}}</h1>
<p>Callbacks: {{.State}}. Events that wait for the broker: {{.Pending}}.</p>
<ul><li><a href="/livez">livez</a></li><li><a href="/readyz">readyz</a></li><li><a href="/metrics">metrics</a></li>
<li><a href="/schemas/">schemas</a></li></ul></body></html>
`

// status is one look at the service for a person.
func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	state := "taken"
	if err := s.cfg.Ready(); err != nil {
		state = "not taken: " + err.Error()
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	err := template.Must(template.New("status").Parse(page)).Execute(w, map[string]any{
		"Version": s.cfg.Version, "State": state, "Pending": s.cfg.Pending(),
	})
	if err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
	}
}

// newHTTP returns a server on which a client that sends nothing, or reads nothing, does not stay.
func newHTTP(h http.Handler, l *limiter) *http.Server {
	return &http.Server{
		Handler: h, ConnState: l.trackState, ErrorLog: l.standard(),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 75 * time.Second,
	}
}

// Serve answers on l until Shutdown; then it returns nil.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(s.limit.on(l)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown closes the port.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }
