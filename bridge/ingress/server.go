package ingress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge/signature"
)

// Server receives callbacks on one listener.
type Server struct {
	cfg      Config
	ring     atomic.Pointer[signature.Ring]
	journal  Journal
	metrics  *metrics
	report   *reporter
	buffers  *buffers
	sources  *sources
	paths    paths
	recent   recent
	inFlight chan struct{} // one entry for each HTTP/2 request in flight
	slots    chan struct{} // one entry for each open connection
	json     []string      // the value of Content-Type, shared by all responses and never written to

	echo          *echo.Echo
	http          *http.Server
	ctx           context.Context // of all appends; ends when requests in flight are abandoned
	cancelAppends context.CancelFunc
	listening     listening
	closing       atomic.Bool // responses ask clients to close their connections
}

// New makes a server that does not listen yet. The error is a *bridge.SettingError. It panics if its metrics are
// registered already.
func New(cfg Config, ring *signature.Ring, j Journal, log *zap.Logger, r prometheus.Registerer) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg.withDefaults(), journal: j, metrics: newMetrics(r), report: newReporter(log),
		json: []string{"application/json"}}
	s.buffers, s.sources = newBuffers(s.cfg.MaxBody), newSources(s.cfg)
	s.paths = paths{prefix: s.cfg.prefix(), token: s.cfg.SnapshotToken}
	s.inFlight = make(chan struct{}, s.cfg.MaxConnections)
	s.slots = make(chan struct{}, s.cfg.MaxConnections)
	registerConnections(s, r)
	s.ring.Store(ring)
	s.ctx, s.cancelAppends = context.WithCancel(context.Background())
	s.route()
	s.http = s.newHTTP()
	return s, nil
}

// Limits of one HTTP/2 connection. A stream that its client resets counts until its handler returns; a client that
// keeps opening streams loses the connection.
const (
	h2Streams   = 32
	h2PerStream = 64 << 10  // bytes received and not read, per request
	h2PerConn   = 128 << 10 // and per connection
	h2Ping      = 30 * time.Second
)

// newHTTP sets the limits. HTTP/2 needs TLS.
func (s *Server) newHTTP() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(s.cfg.TLS != nil)
	return &http.Server{
		Handler:   s.echo,
		Protocols: protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          h2Streams,
			MaxReceiveBufferPerStream:     h2PerStream,
			MaxReceiveBufferPerConnection: h2PerConn,
			SendPingTimeout:               h2Ping,
			PingTimeout:                   h2Ping,
			WriteByteTimeout:              s.cfg.WriteTimeout,
		},
		TLSConfig:         s.cfg.TLS,
		MaxHeaderBytes:    s.cfg.MaxHeader,
		ReadHeaderTimeout: s.cfg.HeaderTimeout,
		ReadTimeout:       s.cfg.ReadTimeout,
		WriteTimeout:      s.cfg.WriteTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		ErrorLog:          s.report.standard(),
		ConnState:         s.trackState,
	}
}

// SetRing replaces the keys, for every request that has not been verified yet. It may be called at any time.
func (s *Server) SetRing(ring *signature.Ring) { s.ring.Store(ring) }

// Handler returns the handler of requests, without the limits on connections and times.
func (s *Server) Handler() http.Handler { return s.echo }

// Serve receives callbacks on l, which it closes, until Shutdown; then it returns nil.
func (s *Server) Serve(l net.Listener) error {
	if !s.listening.begin(l) {
		return l.Close()
	}
	defer s.listening.end()
	limited := newLimiter(l, s.cfg, s.slots, s.connectionRejected)
	if s.cfg.TLS == nil {
		limited.onFirstBytes = s.checkFirstBytes
	}
	var err error
	if s.cfg.TLS != nil {
		err = s.http.ServeTLS(limited, "", "")
	} else {
		err = s.http.Serve(limited)
	}
	if errors.Is(err, http.ErrServerClosed) || s.listening.stopped() && errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// CloseConnections has every further response close its connection, so that clients open the next one where others
// listen already. It is for the time before Shutdown, which closes idle connections while requests may be on their way.
func (s *Server) CloseConnections() { s.closing.Store(true) }

// Shutdown accepts no new connections, closes idle ones, and returns nil when the requests in flight are answered, and
// those of connections that were accepted just before. If ctx ends first, it abandons those, closes their
// connections and returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.listening.stop(ctx)
	err := s.http.Shutdown(ctx)
	s.cancelAppends()
	if err != nil {
		_ = s.http.Close() // the error to return is that of Shutdown
	}
	return err
}

// connectionRejected counts a connection beyond MaxConnections.
func (s *Server) connectionRejected(remote string) {
	s.refuse(noKind,
		refusedRequest{remote: remote, source: origin{address: addressOf(remote)}, why: errTooManyConnections})
}
