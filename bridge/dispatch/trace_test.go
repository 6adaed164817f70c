package dispatch

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// fakeTracer keeps the spans of attempts.
type fakeTracer struct {
	mu    sync.Mutex
	spans []*fakeSpan
}

type fakeSpan struct {
	under *bridge.Trace // of the event
	place *bridge.Trace
	ended []error
}

func (*fakeTracer) Receive(bridge.Kind, string, bridge.TraceHeaders) bridge.Span { panic("not here") }

func (f *fakeTracer) Publish(e *bridge.Event) bridge.Span {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &fakeSpan{under: e.Trace, place: &bridge.Trace{SpanID: [8]byte{byte(len(f.spans) + 1)}, Flags: 1}}
	if e.Trace != nil {
		s.place.TraceID = e.Trace.TraceID
	}
	f.spans = append(f.spans, s)
	return s
}

func (s *fakeSpan) Trace() *bridge.Trace { return s.place }

func (s *fakeSpan) End(r bridge.SpanResult) { s.ended = append(s.ended, r.Err) }

// TestSpansOfAttempts: each attempt is a span under the one that the event came with, whatever came of those before;
// what is published is under the attempt's, and the same to the byte. The outbox gets its own event back.
func TestSpansOfAttempts(t *testing.T) {
	out, tracer := newFakeOutbox(), &fakeTracer{}
	away := bridge.Unavailable("away")
	fails := []error{away, nil}
	p := &fakePublisher{}
	p.answer = func(*bridge.Event) error {
		err := fails[0]
		fails = fails[1:]
		return err
	}
	var published []*bridge.Event
	d := New(out, &copying{p, &published}, Options{InitialBackoff: time.Millisecond, Tracer: tracer}, zap.NewNop(),
		prometheus.NewRegistry())
	e := &bridge.Event{Lane: lane(1), Sequence: 1, Trace: &bridge.Trace{TraceID: [16]byte{9}}, Data: []byte("{}")}
	came := e.Trace
	out.add(e)
	go d.Run()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := d.Drain(ctx, func() bool { return out.pending() == 0 }); err != nil {
		t.Fatal(err)
	}
	d.Shutdown(ctx)
	if len(tracer.spans) != 2 || len(published) != 2 || e.Trace != came || len(out.misuse) > 0 {
		t.Fatalf("%d spans, %d attempts, %+v, %v", len(tracer.spans), len(published), e.Trace, out.misuse)
	}
	for i, s := range tracer.spans {
		if s.under != came || published[i].Trace != s.place || len(s.ended) != 1 ||
			!errors.Is(s.ended[0], []error{away, nil}[i]) {
			t.Errorf("attempt %d: %+v, published under %+v", i, s, published[i].Trace)
		}
		if got, want := string(published[i].AppendStructured(nil)), string(e.AppendStructured(nil)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := exemplar(t, d); got != "09000000000000000000000000000000" {
		t.Errorf("the exemplar is %q", got)
	}
}

// copying notes what is published.
type copying struct {
	bridge.Publisher
	events *[]*bridge.Event
}

func (c *copying) Publish(e *bridge.Event, done func(error)) {
	*c.events = append(*c.events, e)
	c.Publisher.Publish(e, done)
}

// exemplar returns the value of an exemplar of the duration.
func exemplar(t *testing.T, d *Dispatcher) (value string) {
	t.Helper()
	var m dto.Metric
	if err := d.metrics.duration.Write(&m); err != nil {
		t.Fatal(err)
	}
	for _, bucket := range m.GetHistogram().GetBucket() {
		for _, l := range bucket.GetExemplar().GetLabel() {
			value = l.GetValue()
		}
	}
	return value
}

// TestTracingOffIsFree: without a tracer the event itself is published, and an attempt allocates what it did before
// there was any: the function that is told of its end.
func TestTracingOffIsFree(t *testing.T) {
	var published []*bridge.Event
	out := newFakeOutbox()
	d := New(out, &copying{fakeInstant{}, &published}, Options{}, zap.NewNop(), prometheus.NewRegistry())
	e := &bridge.Event{Lane: lane(1), Sequence: 1}
	out.add(e)
	if all, _ := out.takeReady(); len(all) != 1 || !d.acquire(t.Context(), e) {
		t.Fatal("no event")
	}
	d.publish(e)
	if len(published) != 1 || published[0] != e {
		t.Fatalf("%v was published", published)
	}
	endless := &endlessOutbox{lanes: make(chan *bridge.Event, 1)}
	free := New(endless, fakeInstant{}, Options{}, zap.NewNop(), prometheus.NewRegistry())
	got := testing.AllocsPerRun(200, func() {
		if free.acquire(t.Context(), e) {
			free.publish(e)
			<-endless.lanes
		}
	})
	if got > 1 {
		t.Errorf("%v allocations, want 1", got)
	}
}
