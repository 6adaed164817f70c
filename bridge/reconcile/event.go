package reconcile

import (
	"time"

	"livebridge/bridge"
	"livebridge/bridge/session"
)

// Arrival returns the event of a difference, for the journal. Its lane is one of its own kind, so that the sequence of
// no callback's lane is affected. The same push has the same id each time it is found, so that it becomes one event,
// unless the provider does not say when it began.
func Arrival(d Difference) *bridge.Arrival {
	push := session.Push{Domain: d.Domain, App: d.App, Stream: d.Name, Begun: millis(d.Begun)}
	if d.Problem == Stale {
		return &bridge.Arrival{Event: session.Stale(push, session.CauseOffline, millis(d.Since)),
			EventName: session.NameStale}
	}
	return &bridge.Arrival{Event: session.Missed(push, millis(d.Since)), EventName: session.NameMissed}
}

// millis returns 0 for no time.
func millis(t time.Time) bridge.Millis {
	if t.IsZero() {
		return 0
	}
	return bridge.MillisOf(t)
}
