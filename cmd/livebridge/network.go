package main

import (
	"fmt"
	"net/netip"
)

// network is a range of addresses, written as a CIDR or as one address.
type network netip.Prefix

// UnmarshalText reads a network.
func (n *network) UnmarshalText(text []byte) error {
	p, err := netip.ParsePrefix(string(text))
	if a, addrErr := netip.ParseAddr(string(text)); addrErr == nil && a.Zone() == "" {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	if err != nil || p != p.Masked() {
		return fmt.Errorf("%q is no network; write an address such as 192.0.2.7 or a range such as 192.0.2.0/24", text)
	}
	*n = network(unmapped(p))
	return nil
}

// unmapped writes a range of IPv4 addresses that is given as one of IPv6 as what it is: requests from there have IPv4
// addresses.
func unmapped(p netip.Prefix) netip.Prefix {
	const before = 96 // bits of an IPv6 address before the IPv4 address in it
	if p.Addr().Is4In6() && p.Bits() >= before {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-before)
	}
	return p
}

// String writes the network as a CIDR.
func (n network) String() string { return netip.Prefix(n).String() }

func prefixesOf(networks []network) (out []netip.Prefix) {
	for _, n := range networks {
		out = append(out, netip.Prefix(n))
	}
	return out
}
