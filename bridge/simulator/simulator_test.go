package simulator

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

const key = "0123456789abcdef0123456789abcdef"

// config has a key for every kind.
func config(kinds ...bridge.Kind) Config {
	c := DefaultConfig()
	c.Keys = Keys{Stream: key, Record: key, RTC: key, SnapshotToken: "token", RecordScheme: bridge.SchemeHMAC}
	if c.Kinds = kinds; kinds == nil {
		c.Kinds = bridge.Kinds()
	}
	return c
}

func planned(c Config, n int) []Callback {
	p := newPlan(&c, 0, 1)
	var out []Callback
	for range n {
		out = append(out, p.next())
	}
	return out
}

func TestSameSeedSamePlan(t *testing.T) {
	c := config()
	if !reflect.DeepEqual(planned(c, 5000), planned(c, 5000)) {
		t.Error("two plans of one seed differ")
	}
	other := c
	other.Seed++
	if reflect.DeepEqual(planned(c, 5000), planned(other, 5000)) {
		t.Error("another seed changes nothing")
	}
}

func TestShares(t *testing.T) {
	c := config(bridge.KindStream, bridge.KindRecord)
	c.Forged, c.Repeat, c.Twins, c.Disorder = 0.1, 0.2, 0.3, 0
	var forged, again, twins int
	all := planned(c, 20_000)
	for _, cb := range all {
		switch {
		case cb.Forged:
			forged++
		case cb.Again > 0:
			again++
		case strings.HasSuffix(cb.Stream, "_lhd"):
			twins++
		}
	}
	plain := float64(len(all) - forged - again - twins)
	for name, share := range map[string][2]float64{"forged": {float64(forged) / plain, 0.1},
		"again": {float64(again) / plain, 0.2}, "twins": {float64(twins) / plain, 0.3}} {
		if share[0] < share[1]*0.8 || share[0] > share[1]*1.2 {
			t.Errorf("the share of %s is %.3f, wanted %.3f", name, share[0], share[1])
		}
	}
}

func TestWithoutDisorderLanesAreInOrder(t *testing.T) {
	c := config(bridge.KindStream)
	c.Disorder, c.Forged, c.Repeat = 0, 0, 0
	last := map[string]int64{}
	for _, cb := range planned(c, 5000) {
		at := cb.Session*2 + 1
		if cb.Event == "PUBLISH_DONE" {
			at++
		}
		if at <= last[cb.Stream] {
			t.Fatalf("%+v comes after %d", cb, last[cb.Stream])
		}
		last[cb.Stream] = at
	}
}

func TestRun(t *testing.T) {
	url, bodies := service(t)
	c := config()
	c.URL, c.Rate, c.Count, c.Forged = url, 0, 1000, 0.1
	var sent []Sent
	c.Sent = func(s Sent) error { sent = append(sent, s); return nil }
	r, err := Run(t.Context(), c)
	if err != nil || r.Sent != 1000 || r.Unexpected != 0 || len(sent) != 1000 || len(bodies()) != 1000 {
		t.Fatalf("%v, %v, %d logged, %d received", r, err, len(sent), len(bodies()))
	}
	if r.Status[401] < 50 || r.Status[404] == 0 || r.Status[200]+r.Status[401]+r.Status[404] != 1000 || r.P50 == 0 ||
		r.P99 < r.P50 || r.Max < r.P99 {
		t.Errorf("the report is %v", r)
	}
	repeats := map[string]int{}
	for _, b := range bodies() {
		repeats[b]++
	}
	if len(repeats) == 1000 {
		t.Error("nothing was repeated to the byte")
	}
}

func TestServiceIsAway(t *testing.T) {
	c := config()
	c.URL, c.Rate, c.Count = "http://127.0.0.1:1", 0, 20
	if r, err := Run(t.Context(), c); err != nil || r.Status[0] != 20 || r.Unexpected != 20 {
		t.Errorf("%v, %v", r, err)
	}
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.Rate, c.Count, c.Connections = 100, 500, 4
		c.Duration = 0
		counted := newStats(c.Sent)
		begun := time.Now()
		s := newSender(&c, 0, 1, counted)
		s.client.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		s.run(t.Context())
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("500 callbacks at 100 a second took %v", took)
		}
	})
}

// TestRateIsEven: however many connections there are, callbacks are sent one after the other, from the beginning on: a
// short simulation sends what its rate promises.
func TestRateIsEven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.Rate, c.Count, c.Connections = 10, 40, 16
		begun := time.Now()
		var mu sync.Mutex
		var sent []time.Duration
		var senders sync.WaitGroup
		for n := range c.Connections {
			s := newSender(&c, n, c.Connections, newStats(c.Sent))
			s.client.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
				mu.Lock()
				defer mu.Unlock()
				sent = append(sent, time.Since(begun))
				return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
			})
			senders.Go(func() { s.run(t.Context()) })
		}
		senders.Wait()
		for n, at := range sent {
			if want := time.Duration(n+1) * 100 * time.Millisecond; at != want {
				t.Errorf("callback %d was sent after %v, want %v", n, at, want)
			}
		}
		if len(sent) != c.Count {
			t.Errorf("%d callbacks", len(sent))
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestBadConfig(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.Keys.RTC = "" }, func(c *Config) { c.Kinds = nil }, func(c *Config) { c.Streams = 0 },
		func(c *Config) { c.Repeat = 2 },
		func(c *Config) { c.URL = "127.0.0.1:8080" }, func(c *Config) { c.Rate = -1 }, func(c *Config) { c.Connections = 0 },
	} {
		c := config()
		change(&c)
		if _, err := Run(t.Context(), c); err == nil {
			t.Errorf("%+v was played", c)
		}
	}
}

func TestLogThatCannotBeWritten(t *testing.T) {
	url, _ := service(t)
	c := config()
	full := errors.New("disk full")
	c.URL, c.Count, c.Rate, c.Sent = url, 5, 0, func(Sent) error { return full }
	if _, err := Run(t.Context(), c); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}
