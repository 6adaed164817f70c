package ingress

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Limits on rejecting connections. Beyond maxRejecting at once, connections are closed without a response.
const (
	maxRejecting     = 64
	rejectTimeout    = time.Second
	rejectDrainBytes = 64 << 10
)

// limiter is a listener with a bounded number of open connections.
type limiter struct {
	net.Listener
	slots        chan struct{} // one entry for each open connection
	rejecting    chan struct{} // one entry for each connection that is being rejected
	tls          *tls.Config   // nil: plain
	busy         string        // the response to them
	onReject     func(remote string)
	onFirstBytes func(c net.Conn, first []byte) // nil: not called
}

func newLimiter(l net.Listener, cfg Config, slots chan struct{}, onReject func(remote string)) *limiter {
	return &limiter{
		Listener: l, slots: slots, rejecting: make(chan struct{}, maxRejecting),
		tls: firstVersion(cfg.TLS), busy: busyResponse(cfg.retryAfter()), onReject: onReject,
	}
}

// Accept returns the next connection for which there is a slot; it rejects the others without waiting for them.
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

// firstVersion returns the settings without HTTP/2, which the busy response does not use.
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
		_ = c.Close() // too many are being rejected already
	}
}

// sendBusy responds 503. It waits for the beginning of the request, because many clients treat an earlier response as
// an error, and drains the connection for a moment after the response, because closing with unread bytes would reset
// it and lose the response.
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

// onlyReader hides methods that would make io.CopyBuffer use a larger buffer.
type onlyReader struct{ io.Reader }

// busyResponse is the whole response to a rejected connection.
func busyResponse(retryAfter string) string {
	body := errTooManyConnections.body()
	return fmt.Sprintf("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: %s\r\n"+
		"Content-Length: %d\r\nConnection: close\r\n\r\n%s", retryAfter, len(body), body)
}

// slotConn is a connection that releases its slot when it is closed.
type slotConn struct {
	net.Conn
	release      func()
	onFirstBytes func(c net.Conn, first []byte) // nil once called
	fresh        bool                           // see listening.track
}

// Read calls onFirstBytes with the first bytes.
func (p *slotConn) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if p.onFirstBytes != nil && n > 0 {
		p.onFirstBytes(p.Conn, b[:n])
		p.onFirstBytes = nil
	}
	return n, err
}

// Close closes the connection and releases its slot.
func (p *slotConn) Close() error {
	err := p.Conn.Close()
	p.release()
	return err
}

// CloseWrite closes one direction, which lets net/http close a connection without losing the last response.
func (p *slotConn) CloseWrite() error { return closeWrite(p.Conn) }

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
