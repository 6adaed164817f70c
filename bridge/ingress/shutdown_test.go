package ingress_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"livebridge/bridge"
)

// lateListener hands over its one connection a moment after it was closed.
type lateListener struct {
	net.Listener
	accepted chan net.Conn
	entered  chan struct{} // closed when Accept is called
	closed   chan struct{}
	once     sync.Once
}

func (l *lateListener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, net.ErrClosed
	case c := <-l.accepted:
		close(l.entered)
		<-l.closed
		<-time.After(100 * time.Millisecond)
		return c, nil
	}
}

func (l *lateListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// TestShutdownAnswersTheLastConnection: a connection that is accepted while the listener closes, and whose request
// comes after that, is answered before Shutdown returns.
func TestShutdownAnswersTheLastConnection(t *testing.T) {
	b := newHarness(t, nil)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, r := dial(t, inner.Addr().String())
	request := wire(good())
	write(t, c, request[:20])
	conn, err := inner.Accept()
	if err != nil {
		t.Fatal(err)
	}
	l := &lateListener{Listener: inner, accepted: make(chan net.Conn, 1), entered: make(chan struct{}),
		closed: make(chan struct{})}
	l.accepted <- conn
	served := make(chan error, 1)
	go func() { served <- b.Serve(l) }()
	received(t, "it serves", l.entered)
	go func() {
		<-l.closed
		<-time.After(200 * time.Millisecond)
		_, _ = io.WriteString(c, request[20:])
	}()
	if err := b.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if n := b.journal.count(); n != 1 {
		t.Errorf("Shutdown returned with %d callbacks taken, want 1", n)
	}
	if got := status(t, r); got != 200 {
		t.Errorf("%d", got)
	}
	if err := received(t, "Serve returns", served); err != nil {
		t.Error(err)
	}
}

// TestCloseConnections: from then on clients are told to open a new connection for the next callback.
func TestCloseConnections(t *testing.T) {
	b := newHarness(t, nil)
	send := func() *httptest.ResponseRecorder { return b.send(post("/live/stream", good())) }
	if got := send().Header().Get("Connection"); got != "" {
		t.Errorf("before: Connection is %q", got)
	}
	b.CloseConnections()
	if w := send(); w.Code != 200 || w.Header().Get("Connection") != "close" {
		t.Errorf("after: %d, Connection is %q", w.Code, w.Header().Get("Connection"))
	}
}

// heldAppend lets a test keep a request inside the journal.
type heldAppend struct {
	inside    chan struct{}
	release   chan struct{}
	cancelled chan struct{}
}

func hold(b *harness) heldAppend {
	h := heldAppend{make(chan struct{}), make(chan struct{}), make(chan struct{})}
	b.journal.onAppend = func(ctx context.Context, _ *bridge.Arrival) error {
		close(h.inside)
		select {
		case <-h.release:
			return nil
		case <-ctx.Done():
			close(h.cancelled)
			return bridge.ErrStopping
		}
	}
	return h
}

func TestShutdownAnswersRequestsInFlight(t *testing.T) {
	b := newHarness(t, nil)
	h := hold(b)
	address := b.listen(t)
	c, r := dial(t, address)
	write(t, c, wire(good()))
	received(t, "the callback comes to the journal", h.inside)
	done := make(chan error, 1)
	go func() { done <- b.Shutdown(context.Background()) }()
	eventually(t, "the listener stays open", func() bool {
		probe, err := net.Dial("tcp", address)
		if err == nil {
			_ = probe.Close()
		}
		return err != nil
	})
	select {
	case err := <-done:
		t.Fatalf("Shutdown did not wait: %v", err)
	default:
	}
	close(h.release)
	if got := status(t, r); got != 200 {
		t.Errorf("%d", got)
	}
	if err := received(t, "Shutdown returns", done); err != nil {
		t.Error(err)
	}
	closed(t, r)
}

func TestShutdownCancelsAppends(t *testing.T) {
	b := newHarness(t, nil)
	h := hold(b)
	c, r := dial(t, b.listen(t))
	write(t, c, wire(good()))
	received(t, "the callback comes to the journal", h.inside)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	received(t, "the callback is given up", h.cancelled)
	closed(t, r)
}
