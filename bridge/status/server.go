package status

import (
	"context"
	"net/http"
	"sync"
)

// Server serves the page, its updates and its JSON.
type Server struct {
	mux      *http.ServeMux
	gather   *gatherer
	samples  *samples
	cfg      Config
	watchers chan struct{} // one entry for each page that updates itself

	closeOnce sync.Once
	closed    chan struct{}
}

// New makes a Server. events are the published ones that it shows; nil: none.
func New(cfg Config, events *Events) *Server {
	cfg = cfg.withDefaults()
	if events == nil {
		events = &Events{}
	}
	s := &Server{mux: http.NewServeMux(), cfg: cfg, watchers: make(chan struct{}, cfg.MaxWatchers),
		closed: make(chan struct{}), samples: newSamples(cfg.Gatherer, cfg.Now)}
	s.gather = &gatherer{cfg: cfg, samples: s.samples, events: events, started: cfg.Now().UTC()}
	s.mux.HandleFunc("GET /{$}", s.showPage)
	s.mux.HandleFunc("GET /lane", s.showLane)
	s.mux.HandleFunc("GET /updates", s.watch)
	s.mux.HandleFunc("GET /assets/", serveAsset)
	s.mux.HandleFunc("GET /api/v1/", s.serveAPI)
	return s
}

// Run takes samples of the metrics until ctx ends.
func (s *Server) Run(ctx context.Context) { s.samples.run(ctx) }

// Close ends all updates, so that their connections do not hold up the end of the server that they belong to.
func (s *Server) Close() { s.closeOnce.Do(func() { close(s.closed) }) }

// policy lets the page load its own style sheet and script and connect to its own updates, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP serves GET and HEAD requests; there is nothing to change.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	s.mux.ServeHTTP(w, r)
}
