package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/signature"
)

// asLimit makes the test's binary behave as a bare handler, or as livebridge without a broker, see serveLimit.
const asLimit = "TEST_AS_LIMIT"

// serveLimit logs its address as livebridge does, so that it is launched in the same way.
func serveLimit(kind string) {
	tuneRuntime()
	err := map[string]func() error{
		"verify":       func() error { return serveBare(func([]byte) error { return nil }) },
		"synced":       serveSynced,
		"acknowledged": serveAcknowledged,
	}[kind]()
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// serveSynced makes one synced Pebble write before it answers, which is the least that a durable answer costs.
func serveSynced() error {
	db, err := pebble.Open(os.Getenv(prefix+"DATA_DIR"), &pebble.Options{Logger: quiet{}})
	if err != nil {
		return err
	}
	var n atomic.Uint64
	return serveBare(func(body []byte) error { return db.Set(fmt.Appendf(nil, "%020d", n.Add(1)), body, pebble.Sync) })
}

// serveAcknowledged is livebridge with a publisher that acknowledges at once: what is left to gain at the side of the
// broker.
func serveAcknowledged() error {
	s, err := load(processEnvironment().vars)
	if err != nil {
		return err
	}
	log, err := newLog(s, newLogWriter(os.Stderr))
	if err != nil {
		return err
	}
	a, err := start(s, log)
	if err != nil {
		return err
	}
	l := a.engine.(*local)
	acknowledged := &noBroker{publisher: l.publisher, done: make(chan func(error), 1<<16)}
	go acknowledged.run()
	l.publisher = acknowledged
	l.dispatch(a.published.Add, nil, log, prometheus.NewRegistry())
	return a.run(untilSignal())
}

// noBroker acknowledges what it is given, as a client does, in another goroutine.
type noBroker struct {
	publisher
	done chan func(error)
}

func (b *noBroker) Publish(_ *bridge.Event, done func(error)) { b.done <- done }

func (b *noBroker) run() {
	for done := range b.done {
		done(nil)
	}
}

func serveBare(keep func(body []byte) error) error {
	handler, err := bareHandler(keep)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stderr).Encode(map[string]string{"listen": l.Addr().String()}); err != nil {
		return err
	}
	return (&http.Server{Handler: handler}).Serve(l)
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}

// bareHandler reads, parses strictly, checks the HMAC, keeps the body and answers 200.
func bareHandler(keep func(body []byte) error) (http.Handler, error) {
	ring, err := signature.NewRing(signature.Config{Stream: []string{demoKey}, MaxAhead: time.Hour * 1000})
	if err != nil {
		return nil, err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.POST("/live/stream", func(c echo.Context) error {
		body, err := verifiedBody(c.Request().Body, ring)
		if err != nil {
			return err
		}
		if err := keep(body); err != nil {
			return err
		}
		return c.JSONBlob(http.StatusOK, []byte(`{"status":1,"result":"success"}`))
	})
	return e, nil
}

// verifiedBody reads a callback and checks its signature.
func verifiedBody(from io.Reader, ring *signature.Ring) ([]byte, error) {
	body, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	cb, err := callback.Decode(bridge.KindStream, body)
	if err != nil {
		return nil, err
	}
	defer cb.Release()
	_, _, err = ring.Verify(signature.Claim{Kind: bridge.KindStream, Event: cb.EventName, Domain: cb.Domain, App: cb.App,
		Stream: cb.Stream, Timestamp: cb.AuthTimestamp, Sign: cb.AuthSign}, time.Now())
	return body, err
}
