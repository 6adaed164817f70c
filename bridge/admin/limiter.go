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

// Limits on open connections.
const (
	defaultConnections = 256
	controlConnections = 16
)

// Limits on log lines that a client can cause.
const (
	logInterval = 10 * time.Second
	logBurst    = 5
)

// limiter bounds the open connections of a port. A new one beyond the limit closes the one that has been idle for
// longest, so that idle connections cannot keep a probe out. While all have requests in flight, the new one is closed.
type limiter struct {
	net.Listener
	max  int
	name string // of the port, for the log

	log        *zap.Logger
	logLimit   *rate.Limiter
	suppressed atomic.Uint64

	mu   sync.Mutex
	open map[net.Conn]time.Time // since when it has been idle; zero while a request is in flight
}

func newLimiter(limit int, log *zap.Logger, name string) *limiter {
	if log == nil {
		log = zap.NewNop()
	}
	return &limiter{max: limit, name: name, log: log, logLimit: rate.NewLimiter(rate.Every(logInterval), logBurst),
		open: make(map[net.Conn]time.Time)}
}

// on sets the listener whose connections are limited.
func (l *limiter) on(listener net.Listener) net.Listener {
	l.Listener = listener
	return l
}

// Accept returns the next connection within the limit.
func (l *limiter) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		refused := l.admit(c)
		if refused != nil {
			_ = refused.Close()
			l.warn("connection closed: too many at once",
				zap.Stringer("remote", refused.RemoteAddr()), zap.Int("limit", l.max))
		}
		if refused != c {
			return c, nil
		}
	}
}

// admit adds a new connection and returns the one to close for it, if any: another one, or the new one.
func (l *limiter) admit(c net.Conn) (refused net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= l.max {
		if refused = l.longestIdle(); refused == nil {
			return c
		}
		delete(l.open, refused)
	}
	l.open[c] = time.Now()
	return refused
}

func (l *limiter) longestIdle() (longest net.Conn) {
	var since time.Time
	for c, idle := range l.open {
		if !idle.IsZero() && (longest == nil || idle.Before(since)) {
			longest, since = c, idle
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

// warn logs a line, or counts it as suppressed.
func (l *limiter) warn(message string, fields ...zap.Field) {
	if !l.logLimit.Allow() {
		l.suppressed.Add(1)
		return
	}
	l.log.Warn(message, append(fields, zap.String("port", l.name), zap.Uint64("suppressed", l.suppressed.Swap(0)))...)
}

// standard returns the logger of net/http.
func (l *limiter) standard() *log.Logger { return log.New(l, "", 0) }

// Write logs a line of net/http.
func (l *limiter) Write(line []byte) (int, error) {
	l.warn("server error", zap.String("message", strings.TrimSpace(string(line))))
	return len(line), nil
}
