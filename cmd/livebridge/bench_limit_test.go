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

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/signature"
)

// asLimit makes the test's binary behave as a bare handler: "verify" reads, parses strictly, checks the HMAC and
// answers 200; "synced" also makes one synced Pebble write before, which is the least that a durable answer costs.
const asLimit = "TEST_AS_LIMIT"

// serveLimit logs its address as livebridge does, so that it is launched in the same way.
func serveLimit(kind, dir string) {
	tuneRuntime()
	var db *pebble.DB
	var err error
	if kind == "synced" {
		db, err = pebble.Open(dir, &pebble.Options{Logger: quiet{}})
	}
	var handler http.Handler
	if err == nil {
		handler, err = bareHandler(db)
	}
	var l net.Listener
	if err == nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err == nil {
		err = json.NewEncoder(os.Stderr).Encode(map[string]string{"listen": l.Addr().String()})
	}
	if err == nil {
		err = (&http.Server{Handler: handler}).Serve(l)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}

// bareHandler writes the body to the store, if there is one.
func bareHandler(db *pebble.DB) (http.Handler, error) {
	ring, err := signature.NewRing(signature.Config{Stream: []string{demoKey}, MaxAhead: time.Hour * 1000})
	if err != nil {
		return nil, err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	var n atomic.Uint64
	e.POST("/live/stream", func(c echo.Context) error {
		body, err := verifiedBody(c.Request().Body, ring)
		if err != nil {
			return err
		}
		if db != nil {
			if err := db.Set(fmt.Appendf(nil, "%020d", n.Add(1)), body, pebble.Sync); err != nil {
				return err
			}
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
