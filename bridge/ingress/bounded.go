package ingress

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// crowded is what a connection too many is told.
const crowded = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 5\r\n" +
	"Connection: close\r\n\r\n" +
	`{"status":0,"result":"unavailable","message":"too many connections are open (MAX_CONNECTIONS)"}`

// crowdedTimeout bounds what a connection too many costs, and crowdedMax how many are answered at a time.
const (
	crowdedTimeout = time.Second
	crowdedMax     = 64
)

// bounded is a listener that keeps no more than so many connections open.
type bounded struct {
	net.Listener
	limit   int64
	open    atomic.Int64
	turning atomic.Int64
}

func newBounded(l net.Listener, limit int) *bounded {
	return &bounded{Listener: l, limit: int64(limit)}
}

// Accept returns the next connection that there is a place for; others get their answer and are closed.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if b.open.Add(1) <= b.limit {
			return &counted{Conn: c, open: &b.open}, nil
		}
		b.open.Add(-1)
		b.turnAway(c)
	}
}

func (b *bounded) turnAway(c net.Conn) {
	if b.turning.Add(1) > crowdedMax {
		b.turning.Add(-1)
		_ = c.Close() // nothing more can be done for it
		return
	}
	go func() {
		defer b.turning.Add(-1)
		_ = c.SetDeadline(time.Now().Add(crowdedTimeout))
		_, _ = c.Write([]byte(crowded))
		_ = c.Close()
	}()
}

// counted is a connection that has a place.
type counted struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

// Close gives the place back.
func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}
