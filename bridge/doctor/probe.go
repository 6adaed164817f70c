package doctor

import (
	"context"
	"slices"
	"sync"

	"livebridge/bridge/probe"
	"livebridge/bridge/provider"
	"livebridge/bridge/signature"
)

// probesAtOnce is how many probes are under way at the same time.
const probesAtOnce = 4

// Probe sends a probe for each registered callback and each key that may sign it, and returns what became of them in
// the order of the callbacks.
func Probe(ctx context.Context, s probe.Sender, e Expected, registered []provider.Callback) []ProbeOutcome {
	type sending struct {
		url string
		signature.SignedProbe
	}
	var all []sending
	var out []ProbeOutcome
	for i := range registered {
		c := &registered[i]
		if c.URL == "" {
			continue
		}
		for _, p := range probesOf(s, e, c) {
			all = append(all, sending{c.URL, p})
			out = append(out, ProbeOutcome{Place: c.Place, Key: p.Key})
		}
	}
	var sent sync.WaitGroup
	free := make(chan struct{}, probesAtOnce)
	for i := range all {
		free <- struct{}{}
		sent.Go(func() {
			out[i].Outcome = s.Send(ctx, all[i].url, all[i].SignedProbe)
			<-free
		})
	}
	sent.Wait()
	return out
}

// probesOf returns the probes of one callback: signed with the registered key if the provider tells it and it is one of
// ours, otherwise one with each of ours.
func probesOf(s probe.Sender, e Expected, c *provider.Callback) []signature.SignedProbe {
	all := e.Ring.SignProbes(Claim(s, c.Place), e.SnapshotToken)
	registered := slices.IndexFunc(all, func(p signature.SignedProbe) bool {
		return c.Key != "" && p.Key == signature.KeyID(c.Key.Reveal())
	})
	if registered >= 0 {
		return all[registered : registered+1]
	}
	return all
}
