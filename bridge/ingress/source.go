package ingress

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// sources determines the source of requests and whether it is allowed.
type sources struct {
	trusted []netip.Prefix // proxies in front of the service
	allowed []netip.Prefix // empty: every source
}

func newSources(cfg Config) *sources {
	return &sources{trusted: cfg.TrustedProxies, allowed: cfg.AllowSources}
}

// origin is the source of a request. The zero address means unknown.
type origin struct {
	address    netip.Addr
	unreadable string // the entry of X-Forwarded-For that could not be parsed
}

// of returns the source of a request: its peer or, if that is a trusted proxy, the last address in X-Forwarded-For
// that is not one. Entries further left were written by the sender and are not trusted, nor is anything left of an
// entry that cannot be parsed: the source is unknown then.
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

// addressOf parses an address with or without a port; IPv6 may be in brackets, and must be with a port.
func addressOf(text string) netip.Addr {
	if a, err := netip.ParseAddrPort(text); err == nil {
		return a.Addr().Unmap().WithZone("")
	}
	inner, bracketed := strings.CutPrefix(text, "[")
	if bracketed && strings.HasSuffix(inner, "]") && strings.Contains(inner, ":") {
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

// check rejects a request from a source that is not allowed.
func (s *sources) check(r *http.Request) *Refusal {
	if len(s.allowed) == 0 || contains(s.allowed, s.of(r).address) {
		return nil
	}
	return errSource
}

// sourceBits is the prefix of an IPv6 address that counts as one source: who has one address of it usually has all.
const sourceBits = 64

// sourceGroup returns the address that stands for a source in the limits on log lines.
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
