package ingress_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener of connections in memory.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestHandshakesLeftOutAreTold: how many lines of its source a line stands for, by the same name as of a refusal.
func TestHandshakesLeftOutAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newHarness(t, func(s *setup) {
			s.cfg.TLS = &tls.Config{Certificates: []tls.Certificate{*certificate(t, clock(), nil)}}
		})
		l, served := make(pipes), make(chan error, 1)
		go func() { served <- b.Serve(l) }()
		failed := func(times int) (told []string) {
			for range times {
				c, theirs := net.Pipe()
				l <- theirs
				write(t, c, "\x00\x01\x02\x03\x04")
				_ = c.Close()
				synctest.Wait()
			}
			for _, line := range b.log.FilterMessage("TLS handshake failed").All() {
				told = append(told, fmt.Sprint(line.ContextMap()["left_out_of_source"], " ", line.ContextMap()["left_out"]))
			}
			return told
		}
		failed(8) // 5 of them are told
		time.Sleep(5 * time.Second)
		if got, want := strings.Join(failed(1), "\n"), strings.Repeat("<nil> <nil>\n", 5)+"3 <nil>"; got != want {
			t.Errorf("told\n%s\nwant\n%s", got, want)
		}
		if err := b.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}
