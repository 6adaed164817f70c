// Package signature knows how the provider signs its callbacks: the fields of every scheme in their order, making
// a signature (Sign, SignRTC) and judging one (Ring).
//
// A Ring is the keys and bounds in force at one time. It never changes once made, so new keys mean a new Ring,
// which its user swaps in whole while requests go on with the old one. Nothing here reads a clock, a file or a
// request, and no error or text ever holds a key or a signature.
//
// What the provider's schemes cannot see: the signed fields stand side by side without a separator, so a tuple
// whose boundaries have been shifted verifies like the one that was signed. Three rules narrow that down, all in
// Ring.Verify: an auth_timestamp has 10 digits and lies at most MaxAhead in the future, and a domain is a host
// name (and listed in Domains, when there is a list). What they leave, the caller closes by refusing event words
// that are not known unless the domain is listed, and the journal by remembering which fields a signature came
// with.
package signature
