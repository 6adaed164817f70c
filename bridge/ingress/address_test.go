package ingress_test

import (
	"net/netip"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge/ingress"
)

// internalAddresses are addresses that frameworks like to trust by themselves: loopback, private and link-local ones.
var internalAddresses = []string{
	"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "::ffff:10.1.2.3",
	"fd00::1", "fc00::1", "169.254.1.1", "fe80::1",
}

// from sends a good callback that comes from a peer and has a header X-Forwarded-For, or none, and returns the status.
func (b *harness) from(peer, forwarded string) int {
	r := post("/live/stream", good())
	r.RemoteAddr = peer
	if forwarded != "" {
		r.Header.Set("X-Forwarded-For", forwarded)
	}
	return b.send(r).Code
}

// TestNoProxyIsTrustedByDefault: an address that is loopback or private is no proxy for that, neither as the peer
// nor in the header of a real one, and cannot say that it is an allowed source.
func TestNoProxyIsTrustedByDefault(t *testing.T) {
	for _, proxies := range [][]netip.Prefix{nil, prefixes("203.0.113.9/32", "2001:db8:9::/48")} {
		b := newHarness(t, func(s *setup) {
			s.cfg.TrustedProxies, s.cfg.AllowSources = proxies, prefixes("192.0.2.0/24", "2001:db8:1::/48")
		})
		for _, internal := range append(internalAddresses, "198.51.100.1", "2001:db8:2::1") {
			peer := netip.AddrPortFrom(netip.MustParseAddr(internal), 1).String()
			for _, forged := range []string{"192.0.2.7", "2001:db8:1::1", "192.0.2.7, " + internal} {
				if status := b.from(peer, forged); status != 403 {
					t.Errorf("proxies %v: %s, which says to be %s, is answered %d", proxies, peer, forged, status)
				}
			}
			for _, proxy := range []string{"203.0.113.9:1", "[::ffff:203.0.113.9]:1", "[2001:db8:9::1]:1"} {
				if status := b.from(proxy, "192.0.2.7, "+internal); status != 403 {
					t.Errorf("proxies %v: %s behind %s, which says to be 192.0.2.7, is answered %d", proxies, internal, proxy, status)
				}
			}
		}
		if b.journal.count() != 0 {
			t.Errorf("proxies %v: %d forgeries were taken", proxies, b.journal.count())
		}
	}
}

// TestPublicProxies: X-Forwarded-For of trusted proxies is used, however addresses are written.
func TestPublicProxies(t *testing.T) {
	b := newHarness(t, func(s *setup) {
		s.cfg.TrustedProxies, s.cfg.AllowSources = prefixes("203.0.113.9/32", "2001:db8:9::/48"), prefixes("192.0.2.0/24",
			"2001:db8:1::/48")
	})
	for _, peer := range []string{"203.0.113.9:1", "[::ffff:203.0.113.9]:1", "[2001:db8:9::1]:1"} {
		for forwarded, want := range map[string]int{
			"192.0.2.7": 200, "::ffff:192.0.2.7": 200, "2001:db8:1::7": 200, "2001:DB8:1:0:0:0:0:7": 200,
			"192.0.2.7, 203.0.113.9": 200,
			"192.0.3.7":              403, "2001:db8:2::7": 403, "198.51.100.1, 192.0.2.7": 200, "192.0.2.7, 203.0.113.10": 403,
			"":                           403,
			"192.0.2.7, /run/proxy.sock": 403, "192.0.2.7, localhost": 403, "192.0.2.7, 0.0.0.0": 403, "192.0.2.7, ::": 403,
		} {
			if status := b.from(peer, forwarded); status != want {
				t.Errorf("%s for %q: %d, want %d", peer, forwarded, status, want)
			}
		}
	}
}

// TestPeersWithAZone: the zone of a link-local peer names one of our interfaces, and its address counts without it. A
// peer that has no address at all is nobody.
func TestPeersWithAZone(t *testing.T) {
	for _, proxies := range [][]netip.Prefix{nil, prefixes("203.0.113.9/32")} {
		b := newHarness(t, func(s *setup) {
			s.cfg.TrustedProxies, s.cfg.AllowSources = proxies, prefixes("fe80::/64", "192.0.2.0/24")
		})
		for peer, want := range map[string]int{
			"[fe80::1%eth0]:1": 200, "[fe80::1]:1": 200, "[fe80:0:0:1::1%eth0]:1": 403,
			"@": 403, "": 403, "/run/livebridge.sock": 403, "localhost:1": 403, "[::]:1": 403, "0.0.0.0:1": 403,
		} {
			if status := b.from(peer, ""); status != want {
				t.Errorf("proxies %v: %q is answered %d, want %d", proxies, peer, status, want)
			}
			if want != 403 {
				continue
			}
			if status := b.from(peer, "192.0.2.7"); status != 403 {
				t.Errorf("proxies %v: %q, which says to be 192.0.2.7, is answered %d", proxies, peer, status)
			}
		}
	}
}

// TestProxiesAreNotEverybody: who trusts all of IPv4, in whatever spelling, lets anybody say anything.
func TestProxiesAreNotEverybody(t *testing.T) {
	for _, all := range []string{"0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96"} {
		t.Run(all, func(t *testing.T) {
			c := ingress.Config{TrustedProxies: prefixes("10.0.0.0/8", all)}
			if _, err := ingress.New(c, nil, &memoryJournal{}, zap.NewNop(), prometheus.NewRegistry()); err == nil {
				t.Error("taken")
			}
		})
	}
}
