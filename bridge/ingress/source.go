package ingress

import (
	"net"
	"net/http"
	"net/netip"

	"github.com/labstack/echo/v4"
)

// sources tells where a request comes from, and whether anything is taken from there.
type sources struct {
	extract echo.IPExtractor // nil: nobody stands in front of us
	allowed []netip.Prefix   // empty: everybody
}

func newSources(cfg Config) *sources {
	s := &sources{allowed: cfg.AllowSources}
	if len(cfg.TrustedProxies) == 0 {
		return s
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range cfg.TrustedProxies {
		trust = append(trust, echo.TrustIPRange(&net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}))
	}
	s.extract = echo.ExtractIPFromXFFHeader(trust...)
	return s
}

// of returns where a request comes from: its peer, or, where that is a trusted proxy, the last address in X-Forwarded-For
// that is not one. What stands further left was written by whoever sent it. An address that cannot be read is none.
func (s *sources) of(r *http.Request) netip.Addr {
	if s.extract != nil {
		return addressOf(s.extract(r))
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return addressOf(host)
}

func addressOf(text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// check refuses a request from where nothing is taken.
func (s *sources) check(r *http.Request) error {
	if len(s.allowed) == 0 {
		return nil
	}
	source := s.of(r)
	for _, p := range s.allowed {
		if p.Contains(source) {
			return nil
		}
	}
	return errSource
}

// sourceBits is how much of an IPv6 address is one source: whoever has one address there has all of them.
const sourceBits = 64

// group returns what counts as one source in the log.
func group(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	p, err := a.Prefix(sourceBits)
	if err != nil {
		return a
	}
	return p.Addr()
}
