package admin

import (
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"
)

// Open connections at once.
const (
	defaultConnections = 256
	controlConnections = 16
)

// Log lines that a client can cause: one every ten seconds, and so many at once.
const (
	logInterval = 10 * time.Second
	logBurst    = 5
)

// limiter bounds the open connections of a port. When there is one too many, the one that has been silent for longest
// is closed: connections that ask nothing cannot keep a probe out. While requests are in hand on all of them, the new
// one is closed.
type limiter struct {
	net.Listener
	max  int
	name string // of the port, for the log

	log        *zap.Logger
	logLimit   *rate.Limiter
	suppressed atomic.Uint64

	mu   sync.Mutex
	open map[net.Conn]time.Time // since when it has been silent; zero while a request is in hand
}

func newLimiter(limit int, log *zap.Logger, name string) *limiter {
	if log == nil {
		log = zap.NewNop()
	}
	return &limiter{max: limit, name: name, log: log, logLimit: rate.NewLimiter(rate.Every(logInterval), logBurst),
		open: make(map[net.Conn]time.Time)}
}

// on sets the listener whose connections are bounded.
func (l *limiter) on(listener net.Listener) net.Listener {
	l.Listener = listener
	return l
}

// Accept returns the next connection that there is room for.
func (l *limiter) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		refused := l.admit(c)
		if refused != nil {
			_ = refused.Close()
			l.warn("connection closed: too many at once", zap.Stringer("remote", refused.RemoteAddr()), zap.Int("limit", l.max))
		}
		if refused != c {
			return c, nil
		}
	}
}

// admit takes note of a new connection and returns the one that is to be closed for it, if any: another, or the new
// one.
func (l *limiter) admit(c net.Conn) (refused net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= l.max {
		if refused = l.longestSilent(); refused == nil {
			return c
		}
		delete(l.open, refused)
	}
	l.open[c] = time.Now()
	return refused
}

func (l *limiter) longestSilent() (longest net.Conn) {
	var since time.Time
	for c, silent := range l.open {
		if !silent.IsZero() && (longest == nil || silent.Before(since)) {
			longest, since = c, silent
		}
	}
	return longest
}

// trackState is the server's ConnState.
func (l *limiter) trackState(c net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, found := l.open[c]; !found {
		return // closed for another
	}
	switch state {
	case http.StateActive:
		l.open[c] = time.Time{}
	case http.StateNew, http.StateIdle:
		l.open[c] = time.Now()
	default:
		delete(l.open, c)
	}
}

// warn writes a line, or counts it for the next one.
func (l *limiter) warn(message string, fields ...zap.Field) {
	if !l.logLimit.Allow() {
		l.suppressed.Add(1)
		return
	}
	l.log.Warn(message, append(fields, zap.String("port", l.name), zap.Uint64("suppressed", l.suppressed.Swap(0)))...)
}

// standard returns the logger for net/http.
func (l *limiter) standard() *log.Logger { return log.New(l, "", 0) }

// Write takes a line of net/http.
func (l *limiter) Write(line []byte) (int, error) {
	l.warn("server error", zap.String("message", strings.TrimSpace(string(line))))
	return len(line), nil
}
