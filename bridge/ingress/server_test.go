package ingress_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/ingress"
	"livebridge/bridge/signature"
)

func TestPipelining(t *testing.T) {
	b := newHarness(t, nil)
	c, r := dial(t, b.listen(t))
	write(t, c, wire(good())+wire("{")+wire(good()))
	for i, want := range []int{200, 400, 200} {
		if got := status(t, r); got != want {
			t.Errorf("answer %d: %d, want %d", i, got, want)
		}
	}
}

// Without reading on: the announced body is never sent and the answer comes all the same, as the connection's last.
func TestTooLargeIsNotReadOn(t *testing.T) {
	b := newHarness(t, func(s *setup) { s.cfg.ReadTimeout = time.Hour })
	address := b.listen(t)
	for name, head := range map[string]string{
		"announced": "Content-Length: 100000\r\n\r\n{",
		"chunked":   "Transfer-Encoding: chunked\r\n\r\n10001\r\n" + strings.Repeat(" ", 0x10001),
	} {
		c, r := dial(t, address)
		write(t, c, "POST /live/stream HTTP/1.1\r\nHost: x\r\n"+head)
		if got := status(t, r); got != 413 {
			t.Errorf("%s: %d", name, got)
		}
		closed(t, r)
	}
}

// A body that does not come, and headers that do not, cost their own connection alone.
func TestSlowSenders(t *testing.T) {
	b := newHarness(t, func(s *setup) {
		s.cfg.HeaderTimeout, s.cfg.ReadTimeout, s.cfg.IdleTimeout = 200*time.Millisecond, 200*time.Millisecond,
			200*time.Millisecond
	})
	address := b.listen(t)
	body, bodyAnswer := dial(t, address)
	write(t, body, "POST /live/stream HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
	head, headAnswer := dial(t, address)
	write(t, head, "POST /live/stream HTTP/1.1\r\nHo")
	_, silentAnswer := dial(t, address)
	other, otherAnswer := dial(t, address)
	write(t, other, wire(good()))
	if got := status(t, otherAnswer); got != 200 {
		t.Errorf("another sender got %d", got)
	}
	if got := status(t, bodyAnswer); got != 400 {
		t.Errorf("the slow body got %d", got)
	}
	for _, r := range []*bufio.Reader{bodyAnswer, headAnswer, silentAnswer, otherAnswer} {
		closed(t, r)
	}
	if n := b.counted(t, "livebridge_callbacks_refused_total", "400", "stream", "incomplete"); n != 1 {
		t.Errorf("%v counted as incomplete", n)
	}
}

func TestHeadersAreBounded(t *testing.T) {
	b := newHarness(t, nil)
	c, r := dial(t, b.listen(t))
	go func() {
		_, _ = io.WriteString(c, "POST /live/stream HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 64<<10))
	}()
	if got := status(t, r); got != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%d", got)
	}
}

// Idle connections count; one too many is answered 503 and closed; a released slot is used again.
func TestMaxConnections(t *testing.T) {
	b := newHarness(t, func(s *setup) { s.cfg.MaxConnections = 2 })
	address := b.listen(t)
	first, firstAnswer := dial(t, address)
	second, secondAnswer := dial(t, address)
	for c, r := range map[net.Conn]*bufio.Reader{first: firstAnswer, second: secondAnswer} {
		write(t, c, wire(good()))
		if got := status(t, r); got != 200 {
			t.Fatalf("%d", got)
		}
	}
	third, thirdAnswer := dial(t, address)
	write(t, third, wire(good()))
	a, err := http.ReadResponse(thirdAnswer, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(a.Body)
	if err != nil || a.StatusCode != 503 || a.Header.Get("Retry-After") != "5" ||
		!strings.Contains(string(text), `"status":0`) {
		t.Errorf("%v %d %v %s", err, a.StatusCode, a.Header, text)
	}
	closed(t, thirdAnswer)
	if n := b.counted(t, "livebridge_callbacks_lost_total", "none", "connections"); n != 1 {
		t.Errorf("%v counted", n)
	}
	_ = first.Close()
	eventually(t, "the place was not taken again", func() bool { return takes(t, address) })
}

// takes reports whether a callback on a connection of its own is answered 200.
func takes(t *testing.T, address string) bool {
	t.Helper()
	c, r := dial(t, address)
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, wire(good())); err != nil {
		return false // turned away before that
	}
	a, err := http.ReadResponse(r, nil)
	if err != nil {
		return false
	}
	_ = a.Body.Close()
	return a.StatusCode == http.StatusOK
}

func TestConcurrentRequests(t *testing.T) {
	b := newHarness(t, nil)
	address := b.listen(t)
	var group sync.WaitGroup
	for i := range 16 {
		c, r := dial(t, address)
		group.Go(func() {
			for j := range 50 {
				body, want := changed(func(c *signature.Claim) { c.Stream = fmt.Sprintf("room-%d-%d", i, j) }), 200
				if j%5 == 0 {
					body, want = strings.Replace(body, "PUBLISH", "PUBLISH_DONE", 1), 401
				}
				if _, err := io.WriteString(c, wire(body)); err != nil {
					t.Error(err)
					return
				}
				a, err := http.ReadResponse(r, nil)
				if err != nil || a.StatusCode != want {
					t.Errorf("%v %v, want %d", a, err, want)
					return
				}
				_, _ = io.Copy(io.Discard, a.Body)
			}
		})
	}
	group.Wait()
	seen := map[string]bool{}
	for i, a := range b.journal.arrivals {
		seen[a.Event.Lane.Stream] = strings.Contains(b.journal.raws[i], `"`+a.Event.Lane.Stream+`"`)
	}
	if len(seen) != 16*40 {
		t.Errorf("%d streams", len(seen))
	}
	for name, own := range seen {
		if !own {
			t.Errorf("%s came with the body of another", name)
		}
	}
}

func TestPanic(t *testing.T) {
	b := newHarness(t, nil)
	b.journal.onAppend = func(_ context.Context, a *bridge.Arrival) error {
		if a.Event.Lane.Stream == "bad" {
			panic("a fault")
		}
		return nil
	}
	c, r := dial(t, b.listen(t))
	write(t, c, wire(changed(func(c *signature.Claim) { c.Stream = "bad" }))+wire(good()))
	if first, second := status(t, r), status(t, r); first != 503 || second != 200 {
		t.Errorf("%d, then %d", first, second)
	}
	if b.log.FilterMessageSnippet("panic").Len() != 1 ||
		b.counted(t, "livebridge_callbacks_lost_total", "stream", "panic") != 1 {
		t.Errorf("not told: %v", b.log.All())
	}
}

// A sender that goes away does not take its callback out of the journal's hands.
func TestSenderGoesAway(t *testing.T) {
	b := newHarness(t, nil)
	h := hold(b)
	c, _ := dial(t, b.listen(t))
	write(t, c, wire(good()))
	received(t, "the callback comes to the journal", h.inside)
	_ = c.Close()
	close(h.release)
	eventually(t, "the callback is neither accepted nor refused", func() bool {
		if b.counted(t, "livebridge_callbacks_lost_total", "stream", "stopping") != 0 {
			t.Fatal("the append was cancelled")
		}
		return b.counted(t, "livebridge_callbacks_accepted_total", "stream") == 1
	})
}

func TestSetRing(t *testing.T) {
	b := newHarness(t, nil)
	ring, err := signature.NewRing(signature.Config{Stream: []string{strings.Repeat("x", 32)}, MaxAhead: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if w := b.send(post("/live/stream", good())); w.Code != 200 {
		t.Errorf("before: %d", w.Code)
	}
	b.SetRing(ring)
	if w := b.send(post("/live/stream", good())); w.Code != 401 {
		t.Errorf("after: %d", w.Code)
	}
}

func TestTLS(t *testing.T) {
	certSource := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	defer certSource.Close()
	b := newHarness(t, func(s *setup) { s.cfg.TLS, s.cfg.MaxConnections = certSource.TLS.Clone(), 1 })
	address := b.listen(t)
	trust := certSource.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trust.ServerName = "example.com"
	for i, want := range []int{200, 503} { // the second finds no place
		c, _ := dial(t, address)
		secure := tls.Client(c, trust)
		write(t, secure, wire(good()))
		if got := status(t, bufio.NewReader(secure)); got != want {
			t.Errorf("connection %d: %d, want %d", i, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*ingress.Config){
		"PATH_PREFIX":     func(c *ingress.Config) { c.PathPrefix = "/:tenant" },
		"SNAPSHOT_TOKEN":  func(c *ingress.Config) { c.SnapshotToken = "a/b" },
		"MAX_BODY":        func(c *ingress.Config) { c.MaxBody = -1 },
		"MAX_CONNECTIONS": func(c *ingress.Config) { c.MaxConnections = -1 },
		"timeouts":        func(c *ingress.Config) { c.IdleTimeout = -1 },
	} {
		cfg := ingress.DefaultConfig()
		change(&cfg)
		_, err := ingress.New(cfg, nil, &memoryJournal{}, zap.NewNop(), prometheus.NewRegistry())
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "a/b") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ingress.New(ingress.Config{}, nil, &memoryJournal{}, zap.NewNop(), prometheus.NewRegistry()); err != nil {
		t.Errorf("the zero Config is refused: %v", err)
	}
}
