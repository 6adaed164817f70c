package processor

import "livebridge/bridge"

// traces is where held events are in their traces, for as long as they are held: their records do not say it. It
// changes no decision, and what a run before this one held has none.
type traces map[bridge.ID]*bridge.Trace

// keep remembers the trace of an event that is put on hold.
func (t traces) keep(e *bridge.Event) {
	if e.Trace != nil {
		t[e.ID] = e.Trace
	}
}

// restore puts an event that is not on hold any more back into its trace.
func (t traces) restore(e *bridge.Event) {
	if trace, found := t[e.ID]; found {
		e.Trace = trace
		delete(t, e.ID)
	}
}
