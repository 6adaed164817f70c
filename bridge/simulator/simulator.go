// Package simulator plays the provider against a URL: streams that are pushed, recorded and pictured again and again, out
// of order, repeated, forged and in every form that the provider is known to use. What it sends is the same for the same seed, but
// for the times in it.
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

// Config says what is played. Start from DefaultConfig.
type Config struct {
	URL   string // of the service, with PATH_PREFIX
	Kinds []bridge.Kind
	Keys  Keys

	// how much
	Streams     int
	Rate        float64       // callbacks a second; 0: as many as are answered
	Count       int           // callbacks; 0: no limit
	Duration    time.Duration // 0: no limit
	Connections int
	Seed        uint64

	// what goes wrong, as a share between 0 and 1
	Disorder float64 // of sessions: the end before the start, or the next start before the end
	Repeat   float64 // of callbacks: once more, half of them signed again
	Forged   float64 // of callbacks: another one before it that is signed with another key
	Twins    float64 // of callbacks: another one for the transcoded twin of the stream
	Numbers  float64 // of callbacks: numbers for strings and strings for numbers, stray commas

	Progress func(Report)     // called about every second
	Sent     func(Sent) error // called for each callback after its answer, by one goroutine at a time
}

// Keys are what the callbacks of each kind are signed with, and what the path of snapshots ends in.
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

// DefaultConfig returns a lively provider of stream status with a little of everything that goes wrong.
func DefaultConfig() Config {
	return Config{
		URL: "http://127.0.0.1:8080", Kinds: []bridge.Kind{bridge.KindStream}, Keys: Keys{RecordScheme: bridge.SchemeHMAC},
		Streams: 100, Rate: 100, Duration: 10 * time.Second, Connections: 16, Seed: 1,
		Disorder: 0.1, Repeat: 0.05, Forged: 0.02, Twins: 0.05, Numbers: 0.2,
		Progress: func(Report) {}, Sent: func(Sent) error { return nil },
	}
}

// Check returns why it cannot be played, if so.
func (c *Config) Check() error {
	switch {
	case len(c.Kinds) == 0:
		return errors.New("no kind of callback to play")
	case !strings.HasPrefix(c.URL, "http://") && !strings.HasPrefix(c.URL, "https://"):
		return fmt.Errorf("the URL %q does not begin with http:// or https://", c.URL)
	case c.Rate < 0 || c.Count < 0 || c.Duration < 0:
		return fmt.Errorf("rate, count and duration cannot be negative, and are %v, %d and %v", c.Rate, c.Count, c.Duration)
	case c.Streams < 1 || c.Connections < 1:
		return fmt.Errorf("streams and connections must be 1 or more, and are %d and %d", c.Streams, c.Connections)
	}
	for _, kind := range c.Kinds {
		if c.Keys.of(kind) == "" {
			return fmt.Errorf("no key for %s: its callbacks cannot be signed", kind)
		}
	}
	for name, share := range map[string]float64{"disorder": c.Disorder, "repeat": c.Repeat, "forged": c.Forged, "twins": c.Twins, "numbers": c.Numbers} {
		if share < 0 || share > 1 {
			return fmt.Errorf("the share of %s is %v and must be between 0 and 1", name, share)
		}
	}
	return nil
}

// Run plays until the count, the duration or ctx ends, and returns the report. A service that is away makes failed
// callbacks, not an error: nothing is sent twice because of it, as with the real provider.
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
