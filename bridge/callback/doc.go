// Package callback decodes what the provider sends and makes canonical events from it. It is pure: no clock, no
// network, no disk; the same body gives the same bytes on every run.
//
//	body ─► Decode ─► Callback ─► (the caller verifies the signature) ─► Event ─► bridge.Event
//
// The provider's bodies are irregular, so decoding follows these rules:
//
//   - A known member of the right type appears in the data under its normalised name (publish_domain becomes domain).
//   - Everything else is kept under "unrecognized" with the sender's name, value and digits: unknown members, nulls,
//     values of another type, numbers other than integers from 0 to 2^53-1, times that are not RFC 3339, sessions that
//     have neither 10 nor 13 digits.
//   - A required member that is null counts as absent, and one of another type is rejected: without it there is no
//     event. An optional member that is null is kept under "unrecognized".
//   - obs_addr stays an object of its known members, empty if there are none; its other members are kept under
//     "unrecognized", in an object of the same name.
//   - auth_sign and auth_timestamp never appear in the data. A value of an unexpected type is passed to the signature
//     check as JSON text, so that it fails there instead of looking absent.
//   - The Policy applies to user_args and client_ip in every kind of callback and whatever their type, also where they
//     are unknown members under "unrecognized".
//
// Each callback's members are one table in the file named for it. The order of a table is the order of the output, so
// that making an event needs no sorting.
package callback
