package ingress

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// What turning a connection away may take. Beyond maxRejecting a connection is closed without a word.
const (
	maxRejecting     = 64
	rejectTimeout    = time.Second
	rejectDrainBytes = 64 << 10
)

// limiter is a listener with a bounded number of open connections.
type limiter struct {
	net.Listener
	slots        chan struct{} // one entry for each open connection
	rejecting    chan struct{} // one entry for each connection that is being told
	tls          *tls.Config   // nil: plain
	busy         string        // what they are told
	onReject     func(remote string)
	onFirstBytes func(c net.Conn, first []byte) // nil: not looked at
}

func newLimiter(l net.Listener, cfg Config, onReject func(remote string)) *limiter {
	return &limiter{Listener: l, slots: make(chan struct{}, cfg.MaxConnections),
		rejecting: make(chan struct{}, maxRejecting), tls: firstVersion(cfg.TLS), busy: busyResponse(cfg.retryAfter()), onReject: onReject}
}

// Accept returns the next connection that there is a place for; the others it turns away, without waiting for them.
func (l *limiter) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			return &slotConn{Conn: c, onFirstBytes: l.onFirstBytes, release: sync.OnceFunc(func() { <-l.slots })}, nil
		default:
			l.reject(c)
		}
	}
}

// firstVersion returns the settings without HTTP/2, which the answer is not written in.
func firstVersion(t *tls.Config) *tls.Config {
	if t == nil {
		return nil
	}
	t = t.Clone()
	t.NextProtos = []string{"http/1.1"}
	if choose := t.GetConfigForClient; choose != nil {
		t.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := choose(h)
			return firstVersion(chosen), err
		}
	}
	return t
}

func (l *limiter) reject(c net.Conn) {
	l.onReject(c.RemoteAddr().String())
	select {
	case l.rejecting <- struct{}{}:
		go func() {
			l.sendBusy(c)
			<-l.rejecting
		}()
	default:
		_ = c.Close() // there is nobody to tell
	}
}

// sendBusy answers 503. It waits for the request's beginning, because many clients take an answer that comes before it
// for a fault, and reads on for a moment after the answer, because closing on unread bytes would destroy it on its
// way.
func (l *limiter) sendBusy(c net.Conn) {
	defer func() { _ = c.Close() }()
	if c.SetDeadline(time.Now().Add(rejectTimeout)) != nil {
		return
	}
	if l.tls != nil {
		c = tls.Server(c, l.tls)
	}
	scratch := make([]byte, 512)
	if n, err := c.Read(scratch); n == 0 && err != nil {
		return
	}
	if _, err := io.WriteString(c, l.busy); err != nil {
		return
	}
	if closeWrite(c) == nil {
		_, _ = io.CopyBuffer(io.Discard, onlyReader{io.LimitReader(c, rejectDrainBytes)}, scratch) // until it closes
	}
}

// onlyReader hides what would make a copy take a larger buffer.
type onlyReader struct{ io.Reader }

// busyResponse is the whole answer to a connection that there is no place for.
func busyResponse(retryAfter string) string {
	body := errTooManyConnections.body()
	return fmt.Sprintf("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: %s\r\n"+
		"Content-Length: %d\r\nConnection: close\r\n\r\n%s", retryAfter, len(body), body)
}

// slotConn is a connection that gives its place back when it is closed.
type slotConn struct {
	net.Conn
	release      func()
	onFirstBytes func(c net.Conn, first []byte) // nil when they have come
}

// Read reads, and has the first bytes looked at.
func (p *slotConn) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if p.onFirstBytes != nil && n > 0 {
		p.onFirstBytes(p.Conn, b[:n])
		p.onFirstBytes = nil
	}
	return n, err
}

// Close closes the connection; its place is free.
func (p *slotConn) Close() error {
	err := p.Conn.Close()
	p.release()
	return err
}

// CloseWrite ends our side alone, which lets net/http end a connection without destroying the last answer.
func (p *slotConn) CloseWrite() error { return closeWrite(p.Conn) }

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
