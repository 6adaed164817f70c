// Package signature implements the provider's signing schemes: the fields of each in their order, signing (Sign,
// SignRTC) and verification (Ring).
//
// A Ring is the keys and limits that are active at one time. It is immutable: new keys mean a new Ring, which its user
// swaps in while requests finish with the old one. Nothing here reads a clock, a file or a request, and no error or
// text contains a key or a signature.
//
// The provider joins the signed fields without a separator, so fields whose boundaries are shifted verify like those
// that were signed. Ring.Verify has three rules against that: an auth_timestamp has 10 digits and lies at most
// MaxAhead in the future, and a domain is a host name (listed in Domains, if there is a list). The caller adds a
// fourth: it does not trust unknown event names unless domains are listed. The journal adds a fifth: it remembers the
// fields that each signature came with.
package signature
