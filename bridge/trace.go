package bridge

import (
	"encoding/hex"
	"time"
)

// The names of the headers of W3C Trace Context, in requests and in messages.
const (
	HeaderTraceParent = "traceparent"
	HeaderTraceState  = "tracestate"
)

// MaxTraceState is how many bytes of a tracestate are passed on. A longer one is dropped; its traceparent stays.
const MaxTraceState = 512

// Trace is a place in a trace: a span that others may be under. It is in memory only: no record of an event has it, so
// that what is read from the disk has none. It is immutable.
type Trace struct {
	TraceID [16]byte
	SpanID  [8]byte
	Flags   byte   // of W3C Trace Context
	State   string // tracestate, at most MaxTraceState bytes; may be empty
}

// sampledFlag says that the spans of a trace are recorded.
const sampledFlag = 1

// Sampled reports whether the spans of the trace are recorded.
func (t *Trace) Sampled() bool { return t.Flags&sampledFlag != 0 }

// ID returns the trace's id as 32 lower-case hex digits.
func (t *Trace) ID() string { return hex.EncodeToString(t.TraceID[:]) }

// Parent returns the value of the header traceparent for what is under the span.
func (t *Trace) Parent() string {
	out := make([]byte, 0, len("00-")+32+1+16+len("-00"))
	out = hex.AppendEncode(append(out, "00-"...), t.TraceID[:])
	out = hex.AppendEncode(append(out, '-'), t.SpanID[:])
	return string(hex.AppendEncode(append(out, '-'), []byte{t.Flags}))
}

// TraceHeaders are what a request says of the trace that it is in. They are a sender's and not checked.
type TraceHeaders struct{ Parent, State string }

// Tracer makes spans of what becomes of callbacks and events. A nil Tracer is what there is when tracing is off: then
// no event has a Trace. Its methods are safe for concurrent use and never wait.
type Tracer interface {
	// Receive begins the span of a callback's request. Its route is that of the server, without tokens. Headers that
	// make no sense are ignored, and the span begins a new trace.
	Receive(k Kind, route string, from TraceHeaders) Span
	// Publish begins the span of an attempt to publish an event, under e.Trace or, where it has none, in a new trace.
	Publish(e *Event) Span
}

// Span is a step of a callback's or an event's way. End is called once.
type Span interface {
	Trace() *Trace // where others may be under it; never nil
	End(SpanResult)
}

// SpanResult is how a span ended.
type SpanResult struct {
	Event *Event // that it was about; nil: unknown, or that of Publish
	Err   error  // of Publish, by Rejected or Unavailable

	// Of Receive:
	Status      int       // of HTTP
	Refusal     string    // why it was not answered 200
	Decision    string    // of the journal; empty: it has not stored the callback
	CommitBegin time.Time // when the journal was given the callback; zero: it was not
	CommitEnd   time.Time // when it returned
}
