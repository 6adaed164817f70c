package processor_test

import (
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// under puts a callback's event into a trace of a number.
func under(a *bridge.Arrival, trace byte) *bridge.Arrival {
	a.Event.Trace = &bridge.Trace{TraceID: [16]byte{trace}}
	return a
}

// traceOf returns the number of an event's trace, 0 when it has none.
func traceOf(e *bridge.Event) byte {
	if e.Trace == nil {
		return 0
	}
	return e.Trace.TraceID[0]
}

// TestTracesOfHeldEvents: an event is in the trace of its own callback, whoever lets it go: the one before it, or time.
// After a restart nothing is known of it. Repeats leave it as it is.
func TestTracesOfHeldEvents(t *testing.T) {
	const session = 1.7e12
	for _, restarts := range []bool{false, true} {
		s := observe(t, defaults())
		s.take(under(ended("a", 0), 1), under(ended("b", 0), 2), under(ended("a", 0), 3))
		s.holds("begin", 2)
		if restarts {
			s.restart()
		}
		s.take(under(push("a", session, bridge.PhasePublish), 4))
		s.sleep(s.o.Limits.HoldDone)
		var got []byte
		for _, e := range s.out() {
			got = append(got, traceOf(e))
		}
		want := string([]byte{4, 1, 2})
		if restarts {
			want = string([]byte{4, 0, 0})
		}
		if string(got) != want {
			t.Errorf("restarts %v: the events are in the traces %v, want %v", restarts, got, []byte(want))
		}
	}
}

// TestTraceOfANotice: the notice of a quarantined callback is in its trace; what an operator releases later is in none.
func TestTraceOfANotice(t *testing.T) {
	o := defaults()
	o.PublishQuarantine = true
	s := observe(t, o)
	s.take(under(suspect("a", 1, bridge.ReasonTampered), 5))
	if out := s.out(); len(out) != 1 || !out[0].Quarantined() || traceOf(out[0]) != 5 {
		t.Fatalf("%+v", out)
	}
	s.command(processor.Release, bridge.QuarantineQueue, s.Entries(bridge.QuarantineQueue)[0].Number)
	if out := s.out(); len(out) != 1 || traceOf(out[0]) != 0 {
		t.Errorf("%+v", out)
	}
}
