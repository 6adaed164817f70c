package admin

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// TestSilentConnections: however many say nothing, probes are answered, on new connections, and the log has few lines.
func TestSilentConnections(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	s := New(Config{Ready: func() error { return nil }, Status: newEchoed(), Gatherer: prometheus.NewRegistry(),
		MaxConnections: 8, Log: zap.New(core)})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	defer func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	var silent []net.Conn
	for range 100 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		silent = append(silent, c)
	}
	for range 20 {
		probe := &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
		answer, err := probe.Get("http://" + l.Addr().String() + "/livez")
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("answered %d", answer.StatusCode)
		}
		defer probe.CloseIdleConnections()
	}
	open := 0
	for _, c := range silent {
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			open++
		}
		_ = c.Close()
	}
	if open > 8 {
		t.Errorf("%d connections were left open", open)
	}
	if n := logs.Len(); n == 0 || n > logBurst+2 {
		t.Errorf("%d lines", n)
	}
}

// TestBusyConnectionsStay: a request in hand is not given up for a new connection.
func TestBusyConnectionsStay(t *testing.T) {
	inside, release := make(chan struct{}), make(chan struct{})
	ready := func() error { inside <- struct{}{}; <-release; return nil }
	s := New(Config{Ready: ready, Status: newEchoed(), Gatherer: prometheus.NewRegistry(), MaxConnections: 1})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	defer func() { _ = s.Shutdown(context.Background()) }()
	answered := make(chan int, 1)
	go func() {
		answer, err := http.Get("http://" + l.Addr().String() + "/readyz")
		if err != nil {
			answered <- 0
			return
		}
		_ = answer.Body.Close()
		answered <- answer.StatusCode
	}()
	select {
	case <-inside:
	case <-time.After(20 * time.Second):
		t.Fatal("no request came in")
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one too many was let in: %v", err)
	}
	close(release)
	select {
	case status := <-answered:
		if status != http.StatusOK {
			t.Errorf("answered %d", status)
		}
	case <-time.After(20 * time.Second):
		t.Error("the request in hand is not answered")
	}
}

// TestControlIsBounded: silent connections to the control socket keep no operator out.
func TestControlIsBounded(t *testing.T) {
	dir := t.TempDir()
	c, err := NewControl(dir, &fakeOperator{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.Serve() }()
	defer func() { _ = c.Shutdown(context.Background()) }()
	for range 4 * controlConnections {
		silent, err := net.Dial("unix", filepath.Join(dir, socket))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = silent.Close() }()
	}
	client := dialed(t, dir)
	if i, err := client.Inspect(); err != nil || i.Commit != 3 {
		t.Errorf("%+v, %v", i, err)
	}
}
