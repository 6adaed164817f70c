// Package ingress is the door: it takes the provider's callbacks over HTTP, has their signatures and bodies judged, hands
// them to the journal and gives the answer. A callback is answered 200 only when the journal has returned nil. It does
// not know that there is a disk. It is the only importer of Echo.
package ingress

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/signature"
)

// Journal takes callbacks. Append returns nil when the callback is durable, else bridge.ErrFull, bridge.ErrStopping or
// bridge.ErrFailed; the arrival is the journal's until then.
type Journal interface {
	Append(ctx context.Context, a *bridge.Arrival) error
}

// Config is everything that can be set about the door. Start from DefaultConfig.
type Config struct {
	// where
	PathPrefix    string // put before the routes; "" or /something
	SnapshotToken string // last path segment of snapshot callbacks; empty: no such route

	// what is taken
	IgnoreStreams *regexp.Regexp // streams answered 200 and left out; nil: none
	DomainsListed bool           // DOMAINS is set: an unknown event word can be trusted
	Policy        callback.Policy

	// bounds
	MaxBody        int64
	MaxConnections int           // idle ones count
	ReadTimeout    time.Duration // for head and body of a request together
	IdleTimeout    time.Duration // between two requests of a connection
	MaxHeader      int           // bytes
	RetryAfter     time.Duration // told with a 503
}

// DefaultConfig returns the product's defaults.
func DefaultConfig() Config {
	return Config{
		Policy:  callback.Policy{UserArgs: callback.Redact},
		MaxBody: 64 << 10, MaxConnections: 4096, MaxHeader: 16 << 10,
		ReadTimeout: 10 * time.Second, IdleTimeout: 75 * time.Second, RetryAfter: 5 * time.Second,
	}
}

// Server is the door.
type Server struct {
	cfg     Config
	ring    atomic.Pointer[signature.Ring]
	journal Journal
	log     *zap.Logger
	refused *refusals
	metrics *metrics
	http    *http.Server
}

// New makes a Server; nothing listens before Serve.
func New(cfg Config, ring *signature.Ring, j Journal, log *zap.Logger, r prometheus.Registerer) (*Server, error) {
	if cfg.PathPrefix != "" && (!strings.HasPrefix(cfg.PathPrefix, "/") || strings.HasSuffix(cfg.PathPrefix, "/")) {
		return nil, fmt.Errorf("PATH_PREFIX %q: must begin with a slash and not end with one, such as /tenant1", cfg.PathPrefix)
	}
	s := &Server{cfg: cfg, journal: j, log: log, refused: newRefusals(log), metrics: newMetrics()}
	s.ring.Store(ring)
	quiet, err := zap.NewStdLogAt(log, zap.DebugLevel) // what clients do wrong is not our error
	if err != nil {
		return nil, err
	}
	s.http = &http.Server{
		Handler: s.routes(), MaxHeaderBytes: cfg.MaxHeader, ReadTimeout: cfg.ReadTimeout, IdleTimeout: cfg.IdleTimeout,
		ErrorLog: quiet,
	}
	return s, s.metrics.register(r)
}

// SetRing changes the keys for all requests from now on.
func (s *Server) SetRing(ring *signature.Ring) { s.ring.Store(ring) }

// routes names the four callbacks; everything else is 404 or 405.
func (s *Server) routes() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.unrouted
	p := s.cfg.PathPrefix
	e.POST(p+"/live/stream", s.handler(bridge.KindStream, s.takeLive))
	e.POST(p+"/live/record", s.handler(bridge.KindRecord, s.takeLive))
	e.POST(p+"/rtc/record", s.handler(bridge.KindRTCRecord, s.takeRTC))
	if s.cfg.SnapshotToken != "" {
		e.POST(p+"/live/snapshot/:token", s.handler(bridge.KindSnapshot, s.takeSnapshot))
	}
	return e
}

// Serve answers callbacks on l until Shutdown; then it returns nil.
func (s *Server) Serve(l net.Listener) error {
	err := s.http.Serve(newBounded(l, s.cfg.MaxConnections))
	if err == http.ErrServerClosed {
		return nil
	}
	return err
}

// Shutdown takes no new connections and waits until the requests in hand are answered, or ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.refused.flush()
	return s.http.Shutdown(ctx)
}
