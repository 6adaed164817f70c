package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/signature"
)

const (
	benchConnections = 64
	benchStreams     = 2048
	benchRounds      = 3
)

// benchTime is how long each round of BenchmarkAccept is: go test ./cmd/livebridge -run '^$' -bench Accept -benchtime
// 1x -accept 1m
var benchTime = flag.Duration("accept", 5*time.Second, "how long callbacks are sent in a round of BenchmarkAccept")

// BenchmarkAccept sends signed callbacks over 64 connections to a bare handler, to the same handler with one synced
// Pebble write, and to livebridge on its embedded server, in turns, and reports the medians and their ratios. The bare
// handler reads, parses strictly, checks the HMAC and answers.
//
// On two shared cores, the load generator included: 21,000 to 24,000 callbacks a second accepted and published, 19,000
// over a whole minute; 0.30 to 0.34 of the bare handler (66,000 to 74,000) and 0.56 to 0.64 of the one with a synced
// write (33,000 to 40,000).
func BenchmarkAccept(b *testing.B) {
	tuneRuntime()
	for b.Loop() {
		var bare, synced, ours, left []float64
		for range benchRounds {
			bare = append(bare, load64(b, bareServer(b, nil)))
			synced = append(synced, load64(b, bareServer(b, openStore(b))))
			rate, rest := benchBridge(b)
			ours, left = append(ours, rate), append(left, rest)
		}
		b.ReportMetric(median(bare), "bare/s")
		b.ReportMetric(median(synced), "synced/s")
		b.ReportMetric(median(ours), "livebridge/s")
		b.ReportMetric(median(ours)/median(bare), "ratio-to-bare")
		b.ReportMetric(median(ours)/median(synced), "ratio-to-synced")
		b.ReportMetric(slices.Max(left), "left-in-outbox")
		b.ReportMetric(slices.Max(left)/median(ours), "s-of-traffic-left")
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// benchApp starts the service with the product's defaults on free ports, but for the settings given.
func benchApp(b *testing.B, settings ...string) (a *app, stop func()) {
	if !slices.Contains(settings, "kafka") {
		settings = append(settings, "NATS_EMBEDDED_LISTEN", "127.0.0.1:0")
	}
	s, err := load(with(append(settings, "LISTEN", "127.0.0.1:0", "ADMIN_LISTEN", "127.0.0.1:0", "DATA_DIR",
		b.TempDir())...))
	if err != nil {
		b.Fatal(err)
	}
	if a, err = start(s, zap.NewNop()); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx) }()
	return a, func() {
		cancel()
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
	}
}

// benchBridge returns the accepted callbacks a second and what was left in the outbox at the end.
func benchBridge(b *testing.B, settings ...string) (rate, left float64) {
	a, stop := benchApp(b, settings...)
	defer stop()
	rate = load64(b, a.callbackListener.Addr().String())
	return rate, float64(a.engine.pending())
}

func openStore(b *testing.B) *pebble.DB {
	db, err := pebble.Open(b.TempDir(), &pebble.Options{Logger: quiet{}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}

// bareServer reads, parses strictly, checks the HMAC and answers 200; with a store it writes the body there first.
func bareServer(b *testing.B, db *pebble.DB) string {
	ring, err := signature.NewRing(signature.Config{Stream: []string{demoKey}, MaxAhead: time.Hour * 1000})
	if err != nil {
		b.Fatal(err)
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	var n atomic.Uint64
	e.POST("/live/stream", func(c echo.Context) error {
		body, err := io.ReadAll(c.Request().Body)
		if err != nil {
			return err
		}
		cb, err := callback.Decode(bridge.KindStream, body)
		if err != nil {
			return err
		}
		defer cb.Release()
		if _, _, err := ring.Verify(signature.Claim{Kind: bridge.KindStream, Event: cb.EventName, Domain: cb.Domain,
			App:    cb.App,
			Stream: cb.Stream, Timestamp: cb.AuthTimestamp, Sign: cb.AuthSign}, time.Now()); err != nil {
			return err
		}
		if db != nil {
			if err := db.Set(fmt.Appendf(nil, "%020d", n.Add(1)), body, pebble.Sync); err != nil {
				return err
			}
		}
		return c.JSONBlob(http.StatusOK, []byte(`{"status":1,"result":"success"}`))
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: e}
	go func() { _ = server.Serve(l) }()
	b.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

// load64 sends for a while and returns the callbacks answered 200 a second.
func load64(b *testing.B, addr string) float64 {
	begun := time.Now()
	return float64(loadAll(b, []string{addr})) / time.Since(begun).Seconds()
}

// loadAll sends for a while, over 64 connections that are spread over the addresses, and returns how many callbacks
// were answered 200.
func loadAll(b *testing.B, addresses []string) int64 {
	ctx, cancel := context.WithTimeout(context.Background(), *benchTime)
	defer cancel()
	var ok atomic.Int64
	var wg sync.WaitGroup
	for w := range benchConnections {
		wg.Go(func() {
			if err := push64(ctx, addresses[w%len(addresses)], w, &ok); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	return ok.Load()
}

// push64 plays the streams of one connection, each pushed and ended again and again.
func push64(ctx context.Context, addr string, w int, ok *atomic.Int64) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	r, base := bufio.NewReader(c), time.Now().Unix()
	for round := int64(0); ; round++ {
		for stream := w; stream < benchStreams; stream += benchConnections {
			if ctx.Err() != nil {
				return nil
			}
			body := benchBody(stream, base, round)
			if _, err := fmt.Fprintf(c, "POST /live/stream HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"+
				"Content-Length: %d\r\n\r\n%s", len(body), body); err != nil {
				return err
			}
			answer, err := http.ReadResponse(r, nil)
			if err != nil {
				return err
			}
			if _, err := io.Copy(io.Discard, answer.Body); err != nil {
				return err
			}
			if err := answer.Body.Close(); err != nil {
				return err
			}
			if answer.StatusCode != http.StatusOK {
				return fmt.Errorf("answered %s", answer.Status)
			}
			ok.Add(1)
		}
	}
}

func benchBody(stream int, base, round int64) []byte {
	claim := signature.Claim{Kind: bridge.KindStream, Event: "PUBLISH", Domain: "push.example.com", App: "live",
		Stream: fmt.Sprintf("room%d", stream), Timestamp: fmt.Sprint(base + 60 + round/2)}
	if round%2 == 1 {
		claim.Event = "PUBLISH_DONE"
	}
	return fmt.Appendf(nil, `{"domain":"push.example.com","app":"live","stream":%q,`+
		`"user_args":"auth_info=yz1TG0PVN/5isfyrGrRj10gKPCWqSS2X02t6QsRrocH+mEq0gQ0g8k6KhalS84sQ+kDprFyqI0ya`+
		`jbYiFmUO8e45B7ryaS.33436b625354564f6e4d4d434f55&cdn=hw",`+
		`"client_ip":"100.111.1.1","node_ip":"112.11.1.1","publish_timestamp":"%d","event":%q,"auth_timestamp":%s,`+
		`"auth_sign":%q}`,
		claim.Stream, base-100_000+round/2, claim.Event, claim.Timestamp, signature.Sign(bridge.SchemeHMAC, demoKey, claim))
}
