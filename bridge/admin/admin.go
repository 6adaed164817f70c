// Package admin has the admin port (probes, metrics, schemas and a status page) and the control socket with its client.
// Neither shows a secret.
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

// Config configures the admin port.
type Config struct {
	Version  string
	Ready    func() error // why callbacks are not accepted; nil: they are
	Pending  func() int   // events in the outbox
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

// New makes a Server, which does not listen before Serve.
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

const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>livebridge</title></head><body>
<h1>livebridge {{.Version}}</h1>
<p>Callbacks: {{.State}}. Events in the outbox: {{.Pending}}.</p>
<ul><li><a href="/livez">livez</a></li><li><a href="/readyz">readyz</a></li><li><a href="/metrics">metrics</a></li>
<li><a href="/schemas/">schemas</a></li></ul></body></html>
`

// status is the status page.
func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	state := "accepted"
	if err := s.cfg.Ready(); err != nil {
		state = "not accepted: " + err.Error()
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	err := template.Must(template.New("status").Parse(page)).Execute(w, map[string]any{
		"Version": s.cfg.Version, "State": state, "Pending": s.cfg.Pending(),
	})
	if err != nil {
		http.Error(w, "status page failed", http.StatusInternalServerError)
	}
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
