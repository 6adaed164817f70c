package ingress

import (
	"slices"
	"sync"
	"time"
)

// recentRefusals is how many different refusals are remembered.
const recentRefusals = 50

// RecentRefusal is a request that was not answered 200: of its body only what it is about, and neither its signature
// nor a token. Requests that differ in their time alone are counted together.
type RecentRefusal struct {
	At     time.Time // of the latest
	Kind   string    // or none
	Status int
	Reason string // as in the metric of refusals
	Detail string // with advice
	Source string // the peer, or the client of a trusted proxy
	Lane   string // kind:domain/app/stream; or the path, where it is no route; empty: not known
	Count  uint64
}

// sameAs reports whether two refusals are counted together.
func (r *RecentRefusal) sameAs(other *RecentRefusal) bool {
	return r.Kind == other.Kind && r.Status == other.Status && r.Reason == other.Reason && r.Source == other.Source &&
		r.Lane == other.Lane && r.Detail == other.Detail
}

// recent remembers the latest refusals. A sender who repeats one takes one place. The zero value is ready to use.
type recent struct {
	mu  sync.Mutex
	all []RecentRefusal // the latest first
}

func (r *recent) add(refusal RecentRefusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := slices.IndexFunc(r.all, func(known RecentRefusal) bool { return known.sameAs(&refusal) })
	switch {
	case at >= 0:
		refusal.Count += r.all[at].Count
	case len(r.all) < recentRefusals:
		r.all = append(r.all, RecentRefusal{})
		at = len(r.all) - 1
	default:
		at = len(r.all) - 1
	}
	copy(r.all[1:at+1], r.all[:at])
	r.all[0] = refusal
}

// RecentRefusals returns the latest refusals, the latest first. It may be called at any time.
func (s *Server) RecentRefusals() []RecentRefusal {
	s.recent.mu.Lock()
	defer s.recent.mu.Unlock()
	return slices.Clone(s.recent.all)
}

// remember adds a request to the latest refusals.
func (s *Server) remember(k kindLabel, r refusedRequest) {
	refusal := RecentRefusal{At: s.cfg.Now(), Kind: k.String(), Status: r.why.Status, Reason: r.why.Reason,
		Detail: printable(r.why.Detail()), Source: "unknown", Lane: r.path, Count: 1}
	if r.source.address.IsValid() {
		refusal.Source = r.source.address.String()
	}
	if !r.lane.IsZero() {
		refusal.Lane = printable(r.lane.String())
	}
	s.recent.add(refusal)
}
