package transporttest

import (
	"bytes"
	"testing"

	"livebridge/bridge"
)

// traceContext: what is in a trace says so in headers of W3C Trace Context, in both modes and for notices too; all else
// is as it is without, to the byte, and what follows it and is in no trace has no such header.
func traceContext(t *testing.T, h Harness) {
	for _, binary := range []bool{false, true} {
		topic, a := h.Open(t, binary), &answers{}
		traced := []*bridge.Event{event(lane(0), 1), event(lane(1), 1), notice(bridge.KindStream, 1)}
		for i, e := range traced {
			e.Trace = &bridge.Trace{TraceID: [16]byte{0xab, 15: byte(i)}, SpanID: [8]byte{0xcd, 7: byte(i)}, Flags: 1}
		}
		traced[1].Trace.State = "a=1,b@c=2 3"
		for _, e := range append(traced, event(lane(2), 1), event(lane(3), 1)) {
			a.deliver(t, topic.Publisher, []*bridge.Event{e})
		}
		all := byKey(append(topic.Events(t), topic.Quarantine(t)...))
		for i, want := range []string{
			"00-ab000000000000000000000000000000-cd00000000000000-01 ",
			"00-ab000000000000000000000000000001-cd00000000000001-01 a=1,b@c=2 3",
			"00-ab000000000000000000000000000002-cd00000000000002-01 ", " ", " ",
		} {
			e := append(traced, event(lane(2), 1), event(lane(3), 1))[i]
			r := only(t, all, h.Key(e))
			if got := r.Headers[bridge.HeaderTraceParent] + " " + r.Headers[bridge.HeaderTraceState]; got != want {
				t.Errorf("binary %v: event %d has the headers %q, want %q", binary, i, got, want)
			}
			payload := e.Data
			if !binary {
				e.Trace = nil
				payload = e.AppendStructured(nil)
			}
			if !bytes.Equal(r.Payload, payload) {
				t.Errorf("binary %v: event %d has the payload %.300q, want %.300q", binary, i, r.Payload, payload)
			}
		}
	}
}
