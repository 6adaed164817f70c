package ingress

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// sources tells where a request comes from, and whether anything is taken from there.
type sources struct {
	trusted []netip.Prefix // proxies that stand in front of us
	allowed []netip.Prefix // empty: everybody
}

func newSources(cfg Config) *sources {
	return &sources{trusted: cfg.TrustedProxies, allowed: cfg.AllowSources}
}

// origin is where a request comes from. The zero address is an unknown one.
type origin struct {
	address    netip.Addr
	unreadable string // the entry of X-Forwarded-For that hides the address
}

// of returns where a request comes from: its peer, or, where that is a trusted proxy, the last address in
// X-Forwarded-For that is not one. What stands further left was written by whoever sent it. Nothing is believed that
// stands to the left of an entry that cannot be read: the address is unknown then.
func (s *sources) of(r *http.Request) origin {
	last := addressOf(r.RemoteAddr)
	for _, line := range slices.Backward(r.Header["X-Forwarded-For"]) {
		for line != "" && contains(s.trusted, last) {
			comma := strings.LastIndexByte(line, ',')
			entry := strings.TrimSpace(line[comma+1:])
			line = line[:max(comma, 0)]
			if entry == "" {
				continue
			}
			if last = addressOf(entry); !last.IsValid() {
				return origin{unreadable: entry}
			}
		}
	}
	return origin{address: last}
}

// addressOf reads an address, with a port or without; IPv6 may stand in brackets, and does with a port.
func addressOf(text string) netip.Addr {
	if a, err := netip.ParseAddrPort(text); err == nil {
		return a.Addr().Unmap().WithZone("")
	}
	if inner, found := strings.CutPrefix(text, "["); found && strings.HasSuffix(inner, "]") && strings.Contains(inner, ":") {
		text = strings.TrimSuffix(inner, "]")
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// check refuses a request from where nothing is taken.
func (s *sources) check(r *http.Request) error {
	if len(s.allowed) == 0 || contains(s.allowed, s.of(r).address) {
		return nil
	}
	return errSource
}

// sourceBits is how much of an IPv6 address is one source: whoever has one address there has all of them.
const sourceBits = 64

// sourceGroup returns what counts as one source in the log.
func sourceGroup(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	p, err := a.Prefix(sourceBits)
	if err != nil {
		return a
	}
	return p.Addr()
}
