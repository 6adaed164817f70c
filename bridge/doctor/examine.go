package doctor

import (
	"time"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/probe"
	"livebridge/bridge/provider"
	"livebridge/bridge/signature"
)

// Expected is what this livebridge expects of callbacks, by its settings.
type Expected struct {
	Ring          *signature.Ring
	PathPrefix    string
	SnapshotToken string // empty: no snapshots are received
}

// Seen is what was found out.
type Seen struct {
	Now        time.Time
	Domains    []string            // that were asked for: each should have callbacks
	Registered []provider.Callback // at the provider
	Failures   []error             // of its API
	Probes     []ProbeOutcome
	Instances  []admin.Instance
	Missing    []error // instances that do not answer
}

// ProbeOutcome is what became of one probe.
type ProbeOutcome struct {
	Place provider.Place
	Key   string // id of the key that it was signed with; empty: the token of snapshots
	probe.Outcome
}

// Examine returns what is wrong, the worst first, and what else is worth knowing.
func Examine(e Expected, s Seen) []Finding {
	var f findings
	for _, err := range s.Failures {
		f.add(Error, CheckProvider, "provider", err.Error(), "")
	}
	for _, err := range s.Missing {
		f.add(Error, CheckInstance, "instance", err.Error(), "compare --instance with ADMIN_LISTEN, and its network policy")
	}
	f.coverage(e, s)
	for i := range s.Registered {
		if c := &s.Registered[i]; c.URL != "" || c.Kind != bridge.KindSnapshot { // else pictures without a callback
			f.callback(e, s, c)
		}
	}
	f.arrivals(s)
	return f.sorted()
}

// callback compares one callback with what is expected of it.
func (f *findings) callback(e Expected, s Seen, c *provider.Callback) {
	add := f.of(c.Place)
	domain, app := expectedPlace(c.Place)
	expected := e.Ring.Expect(c.Kind, domain, app)
	f.refused(add, c, expected)
	if expected.Refused == nil {
		f.key(add, c, expected)
		f.signType(add, c, expected)
	}
	f.events(add, c)
	f.url(add, e, s, c)
	f.probes(add, s, c)
}

// expectedPlace returns the domain and app that choose the keys of a callback.
func expectedPlace(p provider.Place) (domain, app string) {
	switch p.Kind {
	case bridge.KindRTCRecord:
		return p.App, signature.Any
	case bridge.KindStream:
		return p.Domain, signature.Any
	}
	return p.Domain, p.App
}

// Claim returns the claim of a probe of a registered callback.
func Claim(s probe.Sender, p provider.Place) signature.ProbeClaim {
	c := s.NewClaim()
	c.Kind = p.Kind
	c.Domain, c.App = expectedPlace(p)
	return c
}
