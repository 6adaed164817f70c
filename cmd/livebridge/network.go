package main

import (
	"fmt"
	"net/netip"
)

// network is a range of addresses, written as a CIDR or as one address.
type network netip.Prefix

// UnmarshalText reads a network.
func (n *network) UnmarshalText(text []byte) error {
	if a, err := netip.ParseAddr(string(text)); err == nil {
		*n = network(netip.PrefixFrom(a, a.BitLen()))
		return nil
	}
	p, err := netip.ParsePrefix(string(text))
	if err != nil || p != p.Masked() {
		return fmt.Errorf("%q is no network; write an address such as 192.0.2.7 or a range such as 192.0.2.0/24", text)
	}
	*n = network(p)
	return nil
}

// String writes the network as a CIDR.
func (n network) String() string { return netip.Prefix(n).String() }

func prefixesOf(networks []network) (out []netip.Prefix) {
	for _, n := range networks {
		out = append(out, netip.Prefix(n))
	}
	return out
}
