package ingress

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// listening is the listener of a server while it serves, and how many of its connections have sent no request yet.
// net/http's Shutdown closes those, with a request that may be on its way.
type listening struct {
	fresh atomic.Int64

	mu       sync.Mutex
	listener net.Listener
	ended    chan struct{} // closed when nothing more is accepted; nil before begin
	stopping bool
}

// begin records a listener; it returns false after stop.
func (l *listening) begin(on net.Listener) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopping {
		return false
	}
	l.listener, l.ended = on, make(chan struct{})
	return true
}

func (l *listening) end() { close(l.ended) }

// track counts a connection until it leaves the state in which it was accepted.
func (l *listening) track(c net.Conn, state http.ConnState) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	conn, ok := c.(*slotConn)
	switch {
	case !ok:
	case state == http.StateNew:
		conn.fresh = true
		l.fresh.Add(1)
	case conn.fresh:
		conn.fresh = false
		l.fresh.Add(-1)
	}
}

// Limits of the wait for the first request of connections that were accepted just before the listener closed. One that
// sends nothing must not hold the end up.
const (
	firstRequestTimeout  = time.Second
	firstRequestInterval = time.Millisecond
)

// stop closes the listener and waits until every connection that it has accepted has sent its first request, for
// firstRequestTimeout or until ctx ends.
func (l *listening) stop(ctx context.Context) {
	l.mu.Lock()
	l.stopping = true
	ended := l.ended
	if ended != nil {
		_ = l.listener.Close()
	}
	l.mu.Unlock()
	if ended == nil {
		return
	}
	<-ended
	ctx, cancel := context.WithTimeout(ctx, firstRequestTimeout)
	defer cancel()
	ticker := time.NewTicker(firstRequestInterval)
	defer ticker.Stop()
	for l.fresh.Load() > 0 && ctx.Err() == nil {
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

func (l *listening) stopped() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stopping
}
