package cluster

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
)

// traced puts a callback into a trace.
func traced(a *bridge.Arrival) *bridge.Arrival {
	a.Event.Trace = &bridge.Trace{TraceID: [16]byte{7}, SpanID: [8]byte{8}, Flags: 1, State: "vendor=1"}
	return a
}

// tracer keeps the spans of publishing.
type tracer struct {
	mu    sync.Mutex
	spans []*span
}

type span struct {
	of    *tracer
	event bridge.Event
	place *bridge.Trace
	ended []error
}

func (*tracer) Receive(bridge.Kind, string, bridge.TraceHeaders) bridge.Span { panic("not here") }

func (f *tracer) Publish(e *bridge.Event) bridge.Span {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &span{of: f, event: *e, place: &bridge.Trace{SpanID: [8]byte{byte(len(f.spans) + 1)}}}
	if e.Trace != nil {
		s.place.TraceID, s.place.State = e.Trace.TraceID, e.Trace.State
	}
	f.spans = append(f.spans, s)
	return s
}

func (s *span) Trace() *bridge.Trace { return s.place }

func (s *span) End(r bridge.SpanResult) {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	s.ended = append(s.ended, r.Err)
}

// awaitEnds returns how the spans have ended, once so many have.
func (f *tracer) awaitEnds(t *testing.T, want int) (ended []error) {
	t.Helper()
	eventually(t, "the spans have ended", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		ended = nil
		for _, s := range f.spans {
			ended = append(ended, s.ended...)
		}
		return len(ended) >= want
	})
	return ended
}

// TestTracesGoThrough: what the owner of a partition publishes is in the trace of the callback that another replica has
// taken, under a span of the owner, and the same to the byte as without.
func TestTracesGoThrough(t *testing.T) {
	t.Parallel()
	b, spans := newBroker(1), &tracer{}
	_, first := newReplica(t, b, func(o *Options) { o.Tracer = spans })
	first.Assign(0)
	other, _ := newReplica(t, b)
	appendTo(t, other, traced(processortest.Push("a", session, bridge.PhasePublish)))
	appendTo(t, other, processortest.Push("a", session, bridge.PhaseDone))
	if ended := spans.awaitEnds(t, 2); len(ended) != 2 || errors.Join(ended...) != nil {
		t.Errorf("spans ended %v", ended)
	}
	for i, e := range b.Output(0) {
		s := spans.spans[i]
		under, bare := s.event, e
		under.Trace, bare.Trace = nil, nil
		if e.Trace != s.place || !bytes.Equal(e.AppendStructured(nil), bare.AppendStructured(nil)) || under.ID != e.ID {
			t.Errorf("%s is published in %+v, under %+v", e.Type, e.Trace, s)
		}
	}
	if got := spans.spans[0].event.Trace; got == nil || got.TraceID != [16]byte{7} || got.SpanID != [8]byte{8} ||
		got.Flags != 1 || got.State != "vendor=1" {
		t.Errorf("the first event is under %+v", got)
	}
	if spans.spans[1].event.Trace != nil {
		t.Error("an event without a trace has one")
	}
}

// TestSpansOfARejectedEvent: each attempt to commit is a span of each event, which says what became of it.
func TestSpansOfARejectedEvent(t *testing.T) {
	t.Parallel()
	b, spans := newBroker(1), &tracer{}
	b.Rejects = func(e *bridge.Event) bool { return e.Lane.Stream == tooLarge }
	other, _ := newReplica(t, b)
	appendTo(t, other, processortest.Push("a", session, bridge.PhasePublish))
	appendTo(t, other, processortest.Push(tooLarge, session, bridge.PhasePublish))
	_, first := newReplica(t, b, func(o *Options) { o.Tracer = spans })
	first.Assign(0)
	ended := spans.awaitEnds(t, 3)
	var away *bridge.PublishError
	if len(ended) != 3 || bridge.IsRejected(ended[0]) || !errors.As(ended[0], &away) || !bridge.IsRejected(ended[1]) ||
		ended[2] != nil {
		t.Errorf("spans ended %v", ended)
	}
}

// TestTracingOffIsFree: without a trace a record of the intake is as it was before there were any, and without a tracer
// an owner publishes the events themselves.
func TestTracingOffIsFree(t *testing.T) {
	a := processortest.Push("a", session, bridge.PhasePublish)
	want := processor.AppendInput(nil, &processor.Input{Action: processor.Arrive, Arrival: a})
	if got := callbackRecord(a); !bytes.Equal(got, want) {
		t.Errorf("the record is %q, want %q", got, want)
	}
	o, events := &owner{opts: &Options{}}, []*bridge.Event{&a.Event}
	if n := testing.AllocsPerRun(100, func() {
		sent, spans := o.traced(events)
		endSpans(spans, nil)
		if spans != nil || sent[0] != events[0] {
			t.Fatal("a span without a tracer")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
