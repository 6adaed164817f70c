package reconcile

import (
	"crypto/sha256"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"livebridge/bridge"
)

// Arrival returns the event of a difference, for the journal. Its lane is one of its own kind, so that the sequence of
// no callback's lane is affected. The same push has the same id each time it is found, so that it becomes one event,
// unless the provider does not say when it began.
func Arrival(d Difference) *bridge.Arrival {
	name, eventType := "MISSED", "com.huaweicloud.live.session.missed"
	if d.Problem == Stale {
		name, eventType = "STALE", "com.huaweicloud.live.session.stale"
	}
	e := bridge.Event{
		Type:     eventType,
		Lane:     bridge.Lane{Kind: bridge.KindSession, Domain: d.Domain, App: d.App, Stream: d.Name},
		Occurred: bridge.MillisOf(d.Since),
		Data:     d.data(name, true),
	}
	identity := d.data(name, d.Begun.IsZero())
	sum := sha256.Sum256(append(append([]byte(`{"data":`), identity...), `,"kind":"session"}`...))
	e.ID = bridge.ID(sum[:len(bridge.ID{})])
	return &bridge.Arrival{Event: e, EventName: name}
}

// data returns the event's data as canonical JSON: its members in alphabetical order.
func (d Difference) data(name string, withSince bool) []byte {
	b := appendMember([]byte{'{'}, "app", d.App)
	if !d.Begun.IsZero() {
		b = appendMember(b, "begun", instant(d.Begun))
	}
	b = appendMember(appendMember(b, "domain", d.Domain), "event", name)
	if d.Problem == Stale {
		b = appendMember(b, "session", strconv.FormatInt(d.Begun.UnixMilli(), 10))
	}
	if withSince {
		b = appendMember(b, "since", instant(d.Since))
	}
	return append(appendMember(b, "stream", d.Name), '}')
}

func instant(t time.Time) string { return bridge.MillisOf(t).String() }

func appendMember(dst []byte, name, value string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(append(append(dst, '"'), name...), `":`...)
	dst, _ = jsontext.AppendQuote(dst, value) // the error reports bytes that are U+FFFD now
	return dst
}
