package ingress_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// newTLSHarness serves b over TLS and returns what a client must trust.
func newTLSHarness(t *testing.T, change func(*setup)) (b *harness, address string, trust *tls.Config) {
	t.Helper()
	certSource := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	t.Cleanup(certSource.Close)
	b = newHarness(t, func(s *setup) {
		s.cfg.TLS = certSource.TLS.Clone()
		s.cfg.TLS.NextProtos = nil
		if change != nil {
			change(s)
		}
	})
	trust = certSource.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trust.ServerName = "example.com"
	return b, b.listen(t), trust
}

// client speaks HTTP/2 to the address.
func client(t *testing.T, trust *tls.Config) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

func statusOverHTTP2(t *testing.T, c *http.Client, address, body string) int {
	t.Helper()
	a, err := c.Post("https://"+address+"/live/stream", "", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	if _, err := io.Copy(io.Discard, a.Body); err != nil || a.ProtoMajor != 2 {
		t.Errorf("%s, %v", a.Proto, err)
	}
	return a.StatusCode
}

func TestHTTP2(t *testing.T) {
	_, address, trust := newTLSHarness(t, nil)
	c := client(t, trust)
	for body, want := range map[string]int{good(): 200, "{": 400, strings.Repeat(" ", 64<<10+1): 413} {
		if got := statusOverHTTP2(t, c, address, body); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
}

// TestHTTP2RequestsAreCounted: one connection carries many requests, and there may be no more of them than connections.
func TestHTTP2RequestsAreCounted(t *testing.T) {
	b, address, trust := newTLSHarness(t, func(s *setup) { s.cfg.MaxConnections = 3 })
	inside, release := make(chan struct{}, 8), make(chan struct{})
	b.journal.onAppend = func(context.Context, *bridge.Arrival) error { inside <- struct{}{}; <-release; return nil }
	c := client(t, trust)
	got, more := make(chan int, 3), make(chan int, 1)
	for i := range 3 {
		body := changed(func(c *signature.Claim) { c.Stream = fmt.Sprint("room", i) })
		go func() { got <- statusOverHTTP2(t, c, address, body) }()
	}
	for range 3 {
		received(t, "a request comes to the journal", inside)
	}
	go func() { more <- statusOverHTTP2(t, c, address, good()) }()
	select {
	case one := <-more:
		if one != 503 {
			t.Errorf("one too many got %d", one)
		}
	case <-inside:
		t.Error("one too many was let in")
	case <-time.After(20 * time.Second):
		t.Error("one too many is not answered")
	}
	close(release)
	for range 3 {
		if one := received(t, "a request is answered", got); one != 200 {
			t.Errorf("%d", one)
		}
	}
	if n := b.counted(t, "livebridge_callbacks_lost_total", "none", "requests"); n != 1 {
		t.Errorf("%v counted", n)
	}
}

// http2Conn is a connection on which a test writes HTTP/2 as it likes.
type http2Conn struct {
	net.Conn
	*http2.Framer
	block bytes.Buffer
	hpack *hpack.Encoder
}

func dialHTTP2(t *testing.T, address string, trust *tls.Config) *http2Conn {
	t.Helper()
	plain, _ := dial(t, address)
	trust = trust.Clone()
	trust.NextProtos = []string{"h2"}
	c := &http2Conn{Conn: tls.Client(plain, trust)}
	c.Framer, c.hpack = http2.NewFramer(c.Conn, c.Conn), hpack.NewEncoder(&c.block)
	_, err := io.WriteString(c.Conn, http2.ClientPreface)
	if err = errors.Join(err, c.WriteSettings()); err != nil {
		t.Fatal(err)
	}
	return c
}

// request writes the headers, and the body if there is one, of a request.
func (c *http2Conn) request(stream uint32, body string, last bool) error {
	c.block.Reset()
	for _, f := range [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", "x"},
		{":path", "/live/stream"}} {
		if err := c.hpack.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
			return err
		}
	}
	err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: c.block.Bytes(), EndHeaders: true,
		EndStream: last && body == ""})
	if err == nil && body != "" {
		err = c.WriteData(stream, last, []byte(body))
	}
	return err
}

// TestRapidReset: a client that resets every request right after it has sent it has no more of them in work at once
// than a client that waits, and loses its connection; a good one beside it has every callback answered 200.
func TestRapidReset(t *testing.T) {
	b, address, trust := newTLSHarness(t, nil)
	release := make(chan struct{})
	var working, limit atomic.Int64
	b.journal.onAppend = func(_ context.Context, a *bridge.Arrival) error {
		if a.Event.Lane.Stream != "attack" {
			return nil
		}
		limit.Store(max(limit.Load(), working.Add(1)))
		<-release
		return nil
	}
	defer close(release)
	body := changed(func(c *signature.Claim) { c.Stream = "attack" })
	c := dialHTTP2(t, address, trust)
	lost := make(chan http2.ErrCode, 1)
	go func() {
		for {
			f, err := c.ReadFrame()
			if away, ok := f.(*http2.GoAwayFrame); ok {
				lost <- away.ErrCode
				return
			}
			if err != nil {
				lost <- http2.ErrCodeNo
				return
			}
		}
	}()
	for stream := uint32(1); stream < 20_000; stream += 2 {
		if err := c.request(stream, body, true); err != nil {
			break
		}
		if err := c.WriteRSTStream(stream, http2.ErrCodeCancel); err != nil {
			break
		}
	}
	good := client(t, trust)
	for i := range 50 {
		if got := statusOverHTTP2(t, good, address, changed(
			func(c *signature.Claim) { c.Stream = fmt.Sprint("room", i) })); got != 200 {
			t.Fatalf("callback %d got %d", i, got)
		}
	}
	if code := <-lost; code != http2.ErrCodeEnhanceYourCalm {
		t.Errorf("the connection ended with %v", code)
	}
	if n := limit.Load(); n > 32 {
		t.Errorf("%d of its requests were in work at once", n)
	}
}

// http2Attacks are what a client can do to a connection without end.
func http2Attacks() map[string]func(*http2Conn) error {
	return map[string]func(*http2Conn) error{
		"settings, never ending": func(c *http2Conn) (err error) {
			for err == nil {
				err = c.WriteSettings()
			}
			return err
		},
		"pings, unread": func(c *http2Conn) (err error) {
			for err == nil {
				err = c.WritePing(false, [8]byte{})
			}
			return err
		},
		"headers, never ending": func(c *http2Conn) error {
			err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x40}})
			for err == nil {
				err = c.WriteContinuation(1, false, append([]byte{1, 'a', 127}, make([]byte, 200)...))
			}
			return err
		},
		"bodies, never ending": func(c *http2Conn) (err error) {
			for stream := uint32(1); err == nil && stream < 2*30; stream += 2 {
				err = c.request(stream, "{", false)
			}
			_, _ = io.Copy(io.Discard, c.Conn)
			return err
		},
		"empty data, never ending": func(c *http2Conn) error {
			err := c.request(1, "{", false)
			for err == nil {
				err = c.WriteData(1, false, nil)
			}
			return err
		},
	}
}

// TestHostileHTTP2: other ways to keep a server of HTTP/2 busy, a good client beside them.
func TestHostileHTTP2(t *testing.T) {
	t.Parallel()
	for name, do := range http2Attacks() {
		t.Run(name, func(t *testing.T) {
			b, address, trust := newTLSHarness(t, nil)
			ended := make(chan error, 3)
			var all []*http2Conn
			for range cap(ended) {
				c := dialHTTP2(t, address, trust)
				all = append(all, c)
				go func() { ended <- do(c) }()
			}
			good := client(t, trust)
			callbacks := beside(50)
			for i := range callbacks {
				if got := statusOverHTTP2(t, good, address, changed(
					func(c *signature.Claim) { c.Stream = fmt.Sprint("room", i) })); got != 200 {
					t.Fatalf("callback %d got %d", i, got)
				}
			}
			for _, c := range all {
				_ = c.Conn.(*tls.Conn).NetConn().Close()
			}
			for range all {
				_ = received(t, "an attacker has ended", ended)
			}
			if n := b.journal.count(); n != callbacks {
				t.Errorf("%d callbacks were taken", n)
			}
		})
	}
}
