// Package simulator plays the provider against a URL: pushes, recordings and snapshots of streams, out of order,
// redelivered, forged, and in every form that the provider is known to use. The same seed sends the same, except for
// times.
package simulator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"livebridge/bridge"
)

// Config configures a simulation. Start from DefaultConfig.
type Config struct {
	URL   string // of the service, with PATH_PREFIX
	Kinds []bridge.Kind
	Keys  Keys

	// Volume.
	Streams     int
	Rate        float64       // callbacks per second; 0: as fast as responses arrive
	Count       int           // callbacks; 0: no limit
	Duration    time.Duration // 0: no limit
	Connections int
	Seed        uint64

	// Anomalies, as a share between 0 and 1.
	Disorder float64 // of sessions: the end before the start, or the next start before the end
	Repeat   float64 // of callbacks: a redelivery, half of them signed again
	Forged   float64 // of callbacks: preceded by one signed with another key
	Twins    float64 // of pushes, recordings and snapshots: all callbacks once more for the transcoded twin of the stream
	Numbers  float64 // of callbacks: numbers as strings and strings as numbers, stray commas

	Progress func(Report)     // called about every second
	Sent     func(Sent) error // called for each callback after its response, by one goroutine at a time
}

// Keys sign the callbacks of each kind. SnapshotToken ends the path of snapshots.
type Keys struct {
	Stream, Record, RTC, SnapshotToken string
	RecordScheme                       bridge.Scheme
}

// of returns the key of a kind.
func (k *Keys) of(kind bridge.Kind) string {
	switch kind {
	case bridge.KindStream:
		return k.Stream
	case bridge.KindRecord:
		return k.Record
	case bridge.KindSnapshot:
		return k.SnapshotToken
	case bridge.KindRTCRecord:
		return k.RTC
	}
	return ""
}

// Kinds returns the kinds that have a key.
func (k *Keys) Kinds() []bridge.Kind {
	return slices.DeleteFunc(bridge.Kinds(), func(kind bridge.Kind) bool { return k.of(kind) == "" })
}

// DefaultConfig returns a provider of stream status with a few of all anomalies.
func DefaultConfig() Config {
	return Config{
		URL: "http://127.0.0.1:8080", Kinds: []bridge.Kind{bridge.KindStream},
		Keys:    Keys{RecordScheme: bridge.SchemeHMAC},
		Streams: 100, Rate: 100, Duration: 10 * time.Second, Connections: 16, Seed: 1,
		Disorder: 0.1, Repeat: 0.05, Forged: 0.02, Twins: 0.05, Numbers: 0.2,
		Progress: func(Report) {}, Sent: func(Sent) error { return nil },
	}
}

// Check returns why the simulation cannot run; nil if it can.
func (c *Config) Check() error {
	switch {
	case len(c.Kinds) == 0:
		return errors.New("no kind of callback; choose at least one")
	case !strings.HasPrefix(c.URL, "http://") && !strings.HasPrefix(c.URL, "https://"):
		return fmt.Errorf("invalid URL %q; begin it with http:// or https://", c.URL)
	case c.Rate < 0 || c.Count < 0 || c.Duration < 0:
		return fmt.Errorf("rate %v, count %d, duration %v: must not be negative", c.Rate, c.Count, c.Duration)
	case c.Streams < 1 || c.Connections < 1:
		return fmt.Errorf("streams %d, connections %d: must be 1 or more", c.Streams, c.Connections)
	}
	for _, kind := range c.Kinds {
		if c.Keys.of(kind) == "" {
			return fmt.Errorf("no key for %s callbacks; set one to sign them", kind)
		}
	}
	shares := map[string]float64{
		"disorder": c.Disorder, "repeat": c.Repeat, "forged": c.Forged, "twins": c.Twins, "numbers": c.Numbers,
	}
	for name, share := range shares {
		if share < 0 || share > 1 {
			return fmt.Errorf("%s %v: must be between 0 and 1", name, share)
		}
	}
	return nil
}

// Run simulates until the count, the duration or ctx ends, and returns the report. An unreachable service is not an
// error: its callbacks have no response and are not retried, as with the real provider.
func Run(ctx context.Context, c Config) (Report, error) {
	if err := c.Check(); err != nil {
		return Report{}, err
	}
	if c.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Duration)
		defer cancel()
	}
	workers := min(c.Connections, c.Streams)
	t := newStats(c.Sent)
	stop := t.watch(c.Progress)
	var wg sync.WaitGroup
	for n := range workers {
		wg.Go(func() { newSender(&c, n, workers, t).run(ctx) })
	}
	wg.Wait()
	stop()
	return t.report(), t.err
}
