// Package tracing makes OpenTelemetry spans of what becomes of callbacks and events, and sends them to a collector by
// OTLP over HTTP. It implements bridge.Tracer and is the only importer of OpenTelemetry. It is set by the variables
// that OpenTelemetry has specified, and there is no Tracer unless they ask for one.
//
//	POST /live/stream        server    a callback's request
//	  commit                 internal  its wait for the journal
//	  send LIVE_EVENTS       producer  an attempt to publish its event; as many as it takes
//
// Spans are made where things happen and wait in memory of a bounded size for a goroutine that sends them. When that is
// full, or the collector does not take them, they are dropped.
//
// The library's own exporter for HTTP is not used: it links gRPC, which is larger than everything else of this.
package tracing
