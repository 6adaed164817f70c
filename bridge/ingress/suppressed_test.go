package ingress_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge/certificate/certificatetest"
)

// pipes is a listener of connections in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   *sync.Once // of Close, which the server may call more than once
}

func newPipes() pipes { return pipes{make(chan net.Conn), make(chan struct{}), new(sync.Once)} }

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestSuppressedHandshakesAreCounted: a line says how many of its source it stands for, in the same field as a refusal
// does.
func TestSuppressedHandshakesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newHarness(t, func(s *setup) {
			c := certificatetest.NewAuthority(t).Issue(t, "server", "server.example.com")
			s.cfg.TLS = &tls.Config{Certificates: []tls.Certificate{c.Certificate}}
		})
		l, served := newPipes(), make(chan error, 1)
		go func() { served <- b.Serve(l) }()
		failed := func(times int) (logged []string) {
			for range times {
				c, theirs := net.Pipe()
				l.conns <- theirs
				write(t, c, "\x00\x01\x02\x03\x04")
				_ = c.Close()
				synctest.Wait()
			}
			for _, line := range b.log.FilterMessage("TLS handshake failed").All() {
				logged = append(logged, fmt.Sprint(line.ContextMap()["suppressed_of_source"], " ", line.ContextMap()["suppressed"]))
			}
			return logged
		}
		failed(8) // 5 of them are logged
		time.Sleep(5 * time.Second)
		if got, want := strings.Join(failed(1), "\n"), strings.Repeat("<nil> <nil>\n", 5)+"3 <nil>"; got != want {
			t.Errorf("logged\n%s\nwant\n%s", got, want)
		}
		if err := b.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}
