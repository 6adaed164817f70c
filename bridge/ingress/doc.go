// Package ingress takes the provider's callbacks over HTTP: it reads a bounded body, has it decoded and its
// signature judged, gives it to the journal, and answers. The 200 goes out when the journal has returned, never
// before.
//
// Everything that a stranger can make the process hold is bounded: connections (idle ones count), headers, bodies
// and the time to send them, and log lines. A slow sender costs its own connection, a panic its own request.
//
// The order of the checks, each with its answer:
//
//	403 from an address that ALLOW_SOURCES does not have; nothing of the request is looked at
//	413 body too large
//	415 compressed
//	401 SparkRTC: its signature is over the raw body, so it is judged before the body is read
//	400 not one JSON object, or a required member missing (SparkRTC, signed well: quarantine "malformed", 200)
//	401 no signature, no key, malformed, no match
//	403 the domain is not for us
//	401 signed well but expired or too far ahead: quarantine "expired" first
//	503 the journal cannot take it
//	200 in the journal; a stream of IgnoreStreams is left out; an unknown event word may go to quarantine
package ingress
