// Package callback reads what the provider sends and makes the canonical event of it. It is pure: no clock, no network,
// no disk; the same body gives the same bytes on every run.
//
//	body ─► Decode ─► Callback ─► (the signature is checked by the caller) ─► Event ─► bridge.Event
//
// The bodies are not regular, so reading them follows these rules:
//
//   - A member that is known and of its type stands in the data under its settled name (publish_domain is domain).
//   - Everything else is kept under "unrecognized" with the sender's name, value and digits: members that are not
//     known, nulls, values of another type, numbers that are no whole number from 0 to 2^53-1, times that are not
//     RFC 3339, sessions that have neither 10 nor 13 digits.
//   - A required member that is null counts as absent, and one of another type is refused: there is no event without
//     it. An optional member that is null is kept under "unrecognized".
//   - obs_addr stays an object of the members known in it, empty if there are none; whatever else the sender put there
//     is kept under "unrecognized", in an object that is called obs_addr too.
//   - auth_sign and auth_timestamp never come into the data. A value of another type than the provider's is given to
//     the signature check as the JSON text it is, so that it fails there instead of looking absent.
//   - user_args and client_ip are disposed of as the Policy says in every kind of callback and whatever their type is,
//     also where they are not known and lie under "unrecognized".
//
// Each callback's members are one table in the file named for it. The order of a table is the order of the output, so
// that making an event needs no sorting.
package callback
