// Command watermill is the receiver that one would write on Watermill: it verifies a callback, publishes its body to
// JetStream and answers 200 once that is acknowledged. BenchmarkAccept compares livebridge with it. It keeps no order,
// lets repeats through, and answers 500 while the broker is away.
package main

import (
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-nats/v2/pkg/nats"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/labstack/echo/v4"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/signature"
)

func main() {
	publisher, err := nats.NewPublisher(nats.PublisherConfig{URL: os.Getenv("LIVEBRIDGE_NATS_URL"),
		Marshaler: &nats.NATSMarshaler{}, JetStream: nats.JetStreamConfig{AutoProvision: true}}, watermill.NopLogger{})
	if err != nil {
		log.Fatal(err)
	}
	ring, err := signature.NewRing(signature.Config{Stream: []string{os.Getenv("LIVEBRIDGE_STREAM_KEY")},
		MaxAhead: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stderr).Encode(map[string]string{"listen": l.Addr().String()}); err != nil {
		log.Fatal(err)
	}
	log.Fatal((&http.Server{Handler: receiver(ring, publisher)}).Serve(l))
}

func receiver(ring *signature.Ring, publisher message.Publisher) http.Handler {
	e := echo.New()
	e.POST("/live/stream", func(c echo.Context) error {
		body, err := verifiedBody(c.Request().Body, ring)
		if err != nil {
			return err
		}
		if err := publisher.Publish("callbacks", message.NewMessage(watermill.NewUUID(), body)); err != nil {
			return err
		}
		return c.JSONBlob(http.StatusOK, []byte(`{"status":1,"result":"success"}`))
	})
	return e
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
