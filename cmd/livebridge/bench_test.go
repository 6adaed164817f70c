package main

import (
	"context"
	"flag"
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"
)

const benchRounds = 3

// The rounds of BenchmarkAccept, and a livebridge to compare with, such as the last release:
// go test ./cmd/livebridge -run '^$' -bench 'Accept$' -benchtime 1x -accept 1m -other /usr/bin/livebridge
var (
	benchTime    = flag.Duration("accept", 4*time.Second, "how long callbacks are sent in a round of BenchmarkAccept")
	acceptRounds = flag.Int("rounds", 4, "rounds of BenchmarkAccept")
	otherProgram = flag.String("other", "", "another livebridge, which BenchmarkAccept compares; none: it compares none")
)

// BenchmarkAccept sends signed callbacks over 64 connections to servers, each a process of its own, in turns: the bare
// handler that only verifies, the same with one synced Pebble write (the limit: what comes in cannot be durable for
// less), livebridge without a broker, on its embedded server, and beside a NATS server, and a receiver on Watermill
// beside such a server. It prints the table of medians.
//
// The processor time is that of the server alone, user and system, until all is published. It depends less on what else
// runs on the machine than rates do; compare both within one run.
func BenchmarkAccept(b *testing.B) {
	for b.Loop() {
		variants := []*variant{limitVariant("verify"), limitVariant("synced"), limitVariant("acknowledged"),
			bridgeVariant("embedded", onEmbedded), bridgeVariant("nats", onNATS), onWatermill(b)}
		if *otherProgram != "" {
			variants = append(variants, bridgeVariant("other", onEmbedded).runs(*otherProgram))
		}
		compare(b, variants)
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
