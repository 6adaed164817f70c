package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

const (
	benchConnections = 64
	benchStreams     = 2048
)

// load64 sends for a while over all connections, which are spread over the addresses. It returns the callbacks answered
// 200 a second, and the time that each of them took, in milliseconds.
func load64(b *testing.B, addresses ...string) (rate float64, answered []float64) {
	ctx, cancel := context.WithTimeout(context.Background(), *benchTime)
	defer cancel()
	var took [benchConnections][]float64
	begun := time.Now()
	var wg sync.WaitGroup
	for w := range took {
		wg.Go(func() {
			if err := push64(ctx, addresses[w%len(addresses)], w, &took[w]); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	answered = slices.Concat(took[:]...)
	return float64(len(answered)) / time.Since(begun).Seconds(), answered
}

// push64 plays the streams of one connection, each pushed and ended again and again.
func push64(ctx context.Context, addr string, w int, took *[]float64) error {
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
			body, begun := benchBody(stream, base, round), time.Now()
			if err := exchange(c, r, body); err != nil {
				return err
			}
			*took = append(*took, float64(time.Since(begun).Microseconds())/1000)
		}
	}
}

// exchange sends one callback and reads its answer.
func exchange(c net.Conn, r *bufio.Reader, body []byte) error {
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
	return nil
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
