package main

import (
	"fmt"
	"net/netip"
)

// network is a range of addresses, written as a CIDR or as one address.
type network netip.Prefix

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *network) UnmarshalText(text []byte) error {
	p, err := netip.ParsePrefix(string(text))
	if a, addrErr := netip.ParseAddr(string(text)); addrErr == nil && a.Zone() == "" {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	if err != nil || p != p.Masked() {
		return fmt.Errorf("invalid CIDR or IP address %q: use an address such as 192.0.2.7 or a range such as 192.0.2.0/24",
			text)
	}
	*n = network(unmapped(p))
	return nil
}

// unmapped converts a range of IPv4-mapped IPv6 addresses to IPv4, since requests from it have IPv4 addresses.
func unmapped(p netip.Prefix) netip.Prefix {
	const before = 96 // bits before the IPv4 address in an IPv4-mapped one
	if p.Addr().Is4In6() && p.Bits() >= before {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-before)
	}
	return p
}

// String returns the network as a CIDR.
func (n network) String() string { return netip.Prefix(n).String() }

func prefixesOf(networks []network) (out []netip.Prefix) {
	for _, n := range networks {
		out = append(out, netip.Prefix(n))
	}
	return out
}
