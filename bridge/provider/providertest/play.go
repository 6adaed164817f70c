package providertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/provider"
)

// Load is what Play plays.
type Load struct {
	// Streams is how many streams of each domain and app are pushed, by turns.
	Streams int
	// Rate is how many pushes and recordings of SparkRTC begin per second; above 0.
	Rate float64
	// Seed makes the choices repeatable.
	Seed uint64
	// Disorder, Repeat and Twins are the shares of pushes with them, 0 to 1; see Push.
	Disorder, Repeat, Twins float64
	// Delivered is called for every callback, by one goroutine.
	Delivered func(Delivery)
}

// Play pushes streams of all domains and apps for which something is registered, until ctx ends. A stream is online
// from its first push on: its next one begins where the last one has ended.
func (p *Provider) Play(ctx context.Context, l Load) {
	random := rand.New(rand.NewPCG(l.Seed, 0))
	tick := time.NewTicker(time.Duration(float64(time.Second) / l.Rate))
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		targets := p.targets()
		if len(targets) == 0 {
			continue
		}
		target := targets[n%len(targets)]
		target.Stream = fmt.Sprintf("room%d", n/len(targets)%l.Streams)
		target.Disorder, target.Repeat = random.Float64() < l.Disorder, random.Float64() < l.Repeat
		target.Twin = random.Float64() < l.Twins
		for _, d := range p.play(ctx, target) {
			l.Delivered(d)
		}
	}
}

// play ends a stream's push and begins the next, or plays a recording of SparkRTC.
func (p *Provider) play(ctx context.Context, push Push) []Delivery {
	if push.App == "" {
		return p.RecordRTC(ctx, push.Domain, "meeting", push.Stream)
	}
	return append(p.End(ctx, push.Domain, push.App, push.Stream), p.Start(ctx, push)...)
}

// defaultApp is the app of a domain with callbacks for every app alone.
const defaultApp = "live"

// targets returns a push for every domain and app for which something is registered; those of SparkRTC have no app.
func (p *Provider) targets() []Push {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Push
	add := func(domain, app string) {
		if !slices.ContainsFunc(all, func(o Push) bool { return o.Domain == domain && o.App == app }) {
			all = append(all, Push{Domain: domain, App: app, Record: true, Pictures: 1})
		}
	}
	for _, c := range p.sorted(func(c provider.Callback) bool { return c.URL != "" }) {
		switch {
		case c.Kind == bridge.KindRTCRecord:
			add(c.App, "")
		case c.App == "" || c.App == provider.Wildcard || c.App == otherWildcard:
			add(c.Domain, defaultApp)
		default:
			add(c.Domain, c.App)
		}
	}
	return all
}
