// Package ingress receives the provider's callbacks over HTTP: it reads a bounded body, decodes it, verifies the
// signature, appends it to the journal, and responds. The 200 is sent after the journal has returned, never before.
//
// Everything that an unauthenticated client can consume is bounded: connections (idle ones count), headers, bodies and
// the time to send them, and log lines. A slow sender costs its own connection, a panic its own request.
//
// Judge decides on a request without a server, a clock or a disk; the command verify uses it too. The order of the
// checks, each with its response:
//
//	403 the source is not in ALLOW_SOURCES; nothing else of the request is looked at
//	413 body too large
//	415 compressed body
//	401 SparkRTC: its signature is over the raw body, so it is verified before the body is used
//	400 not one JSON object, or a required member missing (SparkRTC with a valid signature: quarantine "malformed", 200)
//	401 no signature, no key, malformed, no match
//	403 the domain is not allowed
//	401 valid but expired or too far ahead: stored in the quarantine as "expired" first
//	503 the journal is unavailable
//	200 stored; streams of IgnoreStreams are not stored; an unknown event name may go to the quarantine
package ingress
