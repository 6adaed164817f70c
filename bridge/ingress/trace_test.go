package ingress_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"livebridge/bridge"
)

// fakeTracer keeps what it was given, and gives each span a trace of its own.
type fakeTracer struct {
	mu    sync.Mutex
	spans []*fakeSpan
	flags byte
}

type fakeSpan struct {
	about string
	from  bridge.TraceHeaders
	place *bridge.Trace
	ended []bridge.SpanResult
}

func (f *fakeTracer) Receive(k bridge.Kind, route string, from bridge.TraceHeaders) bridge.Span {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &fakeSpan{about: k.String() + " " + route, from: from,
		place: &bridge.Trace{TraceID: [16]byte{15: byte(len(f.spans) + 1)}, Flags: f.flags}}
	f.spans = append(f.spans, s)
	return s
}

func (*fakeTracer) Publish(*bridge.Event) bridge.Span { panic("not here") }

func (s *fakeSpan) Trace() *bridge.Trace { return s.place }

func (s *fakeSpan) End(r bridge.SpanResult) { s.ended = append(s.ended, r) }

// tracedHarness is a server that traces, behind the proxy that httptest's requests come from.
func tracedHarness(t testing.TB) (*harness, *fakeTracer) {
	tracer := &fakeTracer{flags: 1}
	b := newHarness(t, func(s *setup) {
		s.cfg.Tracer = tracer
		s.cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}
	})
	return b, tracer
}

// TestSpanOfACallback: the event is under the request's span, whose result has what the journal has decided.
func TestSpanOfACallback(t *testing.T) {
	b, tracer := tracedHarness(t)
	b.journal.onAppend = func(_ context.Context, a *bridge.Arrival) error {
		a.Event.ID, a.Decision = bridge.ID{7}, "held"
		return nil
	}
	b.send(post("/live/stream", good()))
	s := tracer.spans[0]
	if len(s.ended) != 1 || s.about != "stream /live/stream" || b.journal.arrivals[0].Event.Trace != s.place {
		t.Fatalf("%+v, and the event is under %+v", s, b.journal.arrivals[0].Event.Trace)
	}
	r := s.ended[0]
	if r.Status != 200 || r.Decision != "held" || r.Event.ID != (bridge.ID{7}) || r.Refusal != "" ||
		r.CommitBegin.IsZero() || r.CommitEnd.Before(r.CommitBegin) {
		t.Errorf("%+v", r)
	}
}

// TestSpansOfWhatIsNotStored: refused requests have spans with the reason, without an event and its commit, and the
// line that the log has of them has their trace. Requests that are no callbacks have none, and no span has a token.
func TestSpansOfWhatIsNotStored(t *testing.T) {
	b, tracer := tracedHarness(t)
	b.journal.onAppend = func(context.Context, *bridge.Arrival) error { return bridge.ErrFull }
	b.send(post("/live/stream", good()))
	b.send(post("/live/stream", strings.ReplaceAll(good(), "room", "other")))
	b.send(post("/live/snapshot/"+token, "{"))
	for _, r := range []*http.Request{post("/live/snapshot/wrong", snapshotBody), post("/nowhere", good())} {
		b.send(r)
	}
	r := post("/live/stream", "")
	r.Method = http.MethodGet
	b.send(r)
	var got []string
	for _, s := range tracer.spans {
		r := s.ended[0]
		got = append(got, fmt.Sprint(s.about, " ", r.Status, " ", r.Refusal, " ", r.Event == nil, !r.CommitBegin.IsZero()))
	}
	want := []string{"stream /live/stream 503 full true true", "stream /live/stream 401 mismatch true false",
		"snapshot /live/snapshot/:token 400 malformed true false"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q, want %q", got, want)
	}
	for i, line := range b.log.FilterFieldKey("reason").All() {
		want := fmt.Sprintf("%032x", i+1)
		if got := line.ContextMap()["trace_id"]; i < len(tracer.spans) && got != want || i >= len(tracer.spans) &&
			got != nil {
			t.Errorf("%v has the trace %v, want %v", line.ContextMap(), got, want)
		}
	}
}

// TestTraceOfAProxy: a trusted proxy says which trace a request is in, with one traceparent and a tracestate of a
// bounded size; nobody else does.
func TestTraceOfAProxy(t *testing.T) {
	b, tracer := tracedHarness(t)
	send := func(peer string, parents, states []string) bridge.TraceHeaders {
		r := post("/live/stream", good())
		r.RemoteAddr = peer
		r.Header["Traceparent"], r.Header["Tracestate"] = parents, states
		b.send(r)
		return tracer.spans[len(tracer.spans)-1].from
	}
	const proxy, parent = "192.0.2.1:1", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	long := strings.Repeat("x", bridge.MaxTraceState)
	for _, test := range []struct {
		peer            string
		parents, states []string
		want            bridge.TraceHeaders
	}{
		{proxy, []string{parent}, []string{"a=1"}, bridge.TraceHeaders{Parent: parent, State: "a=1"}},
		{proxy, []string{parent}, []string{"a=1", "b=2"}, bridge.TraceHeaders{Parent: parent, State: "a=1,b=2"}},
		{proxy, []string{parent}, []string{long}, bridge.TraceHeaders{Parent: parent, State: long}},
		{proxy, []string{parent}, []string{long + "x"}, bridge.TraceHeaders{Parent: parent}},
		{proxy, []string{parent, parent}, []string{"a=1"}, bridge.TraceHeaders{}},
		{proxy, nil, []string{"a=1"}, bridge.TraceHeaders{}},
		{"192.0.2.2:1", []string{parent}, []string{"a=1"}, bridge.TraceHeaders{}},
		{"unknown", []string{parent}, nil, bridge.TraceHeaders{}},
	} {
		if got := send(test.peer, test.parents, test.states); got != test.want {
			t.Errorf("%s, %q, %.20q: %+v", test.peer, test.parents, test.states, got)
		}
	}
}

// TestTraceOfDuration: the metric of a callback's duration has the trace as its exemplar, if it is recorded.
func TestTraceOfDuration(t *testing.T) {
	for flags, want := range map[byte]string{0: "", 1: "00000000000000000000000000000001"} {
		b, tracer := tracedHarness(t)
		tracer.flags = flags
		b.send(post("/live/stream", good()))
		got := ""
		for _, bucket := range b.metric(t, "livebridge_callback_duration_seconds", "stream").GetHistogram().GetBucket() {
			for _, l := range bucket.GetExemplar().GetLabel() {
				got += l.GetValue()
			}
		}
		if got != want {
			t.Errorf("flags %d: exemplars %q, want %q", flags, got, want)
		}
	}
}

// allocationsOff is what a request costs without tracing: what it cost before there was any.
const allocationsOff = 9

// TestTracingOffIsFree: a server without a tracer allocates nothing for it, and its events are in no trace.
func TestTracingOffIsFree(t *testing.T) {
	b := newHarness(t, nil)
	h, text := b.Handler(), good()
	body, r, w := strings.NewReader(text), post("/live/stream", text), &sink{header: http.Header{}}
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	request := func() {
		body.Reset(text)
		r.Body, w.status = io.NopCloser(body), 200
		h.ServeHTTP(w, r)
		b.journal.reset()
	}
	if got := testing.AllocsPerRun(200, request); got > allocationsOff+allocationsOfDetector {
		t.Errorf("%v allocations, want at most %d", got, allocationsOff)
	}
	b.send(post("/live/stream", good()))
	if trace := b.journal.arrivals[0].Event.Trace; trace != nil {
		t.Errorf("%+v", trace)
	}
}
