// Package session makes the events of the kind session: what became of a push, and what is missing of it. No callback
// causes them, so their ids and data are made here, alike for everyone who finds out.
package session

import (
	"crypto/sha256"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"livebridge/bridge"
)

// The types, and the event names in the data.
const (
	TypeMissed = "com.huaweicloud.live.session.missed"
	TypeStale  = "com.huaweicloud.live.session.stale"
	TypeEnded  = "com.huaweicloud.live.session.ended"

	NameMissed = "MISSED"
	NameStale  = "STALE"
	NameEnded  = "ENDED"
)

// Push names a push of a stream.
type Push struct {
	Domain, App, Stream string

	Begun bridge.Millis // its session; of a missed one when it began by the provider's list, 0 if that does not say
}

// PushOf returns the push of a session in the lane of a stream.
func PushOf(l bridge.Lane, begun bridge.Millis) Push { return Push{l.Domain, l.App, l.Stream, begun} }

// Missed is the event of a push whose PUBLISH has not arrived. Its id depends on since only without Begun.
func Missed(p Push, since bridge.Millis) bridge.Event {
	identity := facts{name: NameMissed}
	if p.Begun == 0 {
		identity.since = since
	}
	return p.event(TypeMissed, identity, facts{name: NameMissed, since: since})
}

// Cause is how it was found that the end of a push is missing.
type Cause string

// The causes.
const (
	CauseOffline    Cause = "offline"    // the stream is not in the provider's list of online streams
	CauseTimeout    Cause = "timeout"    // SESSION_STALE_AFTER has passed since its PUBLISH
	CauseSuperseded Cause = "superseded" // too many later pushes of the stream have begun
)

// Stale is the event of a push whose PUBLISH_DONE has not arrived. The id is the same whatever the cause.
func Stale(p Push, c Cause, since bridge.Millis) bridge.Event {
	e := p.event(TypeStale, facts{name: NameStale, session: true},
		facts{name: NameStale, session: true, cause: c, since: since})
	e.Session = p.Begun
	return e
}

// Ends are both ends of a push as they were received.
type Ends struct {
	Started, Ended       bridge.Millis // Started is 0 when its PUBLISH was not published in order
	StartMarks, EndMarks bridge.Marks
}

// Ended is the event of a push whose PUBLISH_DONE is published. The id does not depend on the ends.
func Ended(p Push, ends Ends) bridge.Event {
	e := p.event(TypeEnded, facts{name: NameEnded, session: true},
		facts{name: NameEnded, session: true, since: ends.Ended, ends: &ends})
	e.Session = p.Begun
	return e
}

// facts are what is known of a push beside its names.
type facts struct {
	name    string
	session bool // Begun is a session
	cause   Cause
	since   bridge.Millis // 0: none
	ends    *Ends
}

// event makes an event. What identifies it is a part of its data.
func (p Push) event(eventType string, identity, all facts) bridge.Event {
	sum := sha256.Sum256(append(append([]byte(`{"data":`), p.data(identity)...), `,"kind":"session"}`...))
	return bridge.Event{
		ID: bridge.ID(sum[:len(bridge.ID{})]), Type: eventType, Occurred: all.since, Data: p.data(all),
		Lane: bridge.Lane{Kind: bridge.KindSession, Domain: p.Domain, App: p.App, Stream: p.Stream},
	}
}

// data returns the data as canonical JSON: its members in alphabetical order.
func (p Push) data(f facts) []byte {
	o := object{'{'}
	o.text("app", p.App)
	o.instant("begun", p.Begun)
	o.text("cause", string(f.cause))
	o.text("domain", p.Domain)
	f.appendEnd(&o)
	o.text("event", f.name)
	if f.session {
		o.text("session", strconv.FormatInt(int64(p.Begun), 10))
	}
	if f.ends == nil {
		o.instant("since", f.since)
	}
	f.appendStart(&o, p.Begun)
	o.text("stream", p.Stream)
	return append(o, '}')
}

// appendEnd appends what is known of the end.
func (f *facts) appendEnd(o *object) {
	if f.ends == nil {
		return
	}
	if f.ends.Started != 0 {
		o.span("duration_ms", f.ends.Started, f.ends.Ended)
	}
	o.text("end_marks", f.ends.EndMarks.String())
	o.instant("ended", f.ends.Ended)
}

// appendStart appends what is known of the start.
func (f *facts) appendStart(o *object, begun bridge.Millis) {
	if f.ends == nil {
		return
	}
	o.span("since_begun_ms", begun, f.ends.Ended)
	o.text("start_marks", f.ends.StartMarks.String())
	o.instant("started", f.ends.Started)
}

// object is a JSON object in the making. Empty members are left out.
type object []byte

func (o *object) name(name string) {
	if len(*o) > 1 {
		*o = append(*o, ',')
	}
	*o = append(append(append(*o, '"'), name...), `":`...)
}

func (o *object) text(name, value string) {
	if value == "" {
		return
	}
	o.name(name)
	*o, _ = jsontext.AppendQuote(*o, value) // the error reports bytes that are U+FFFD now
}

func (o *object) instant(name string, at bridge.Millis) {
	if at != 0 {
		o.text(name, at.String())
	}
}

// span is the time between two instants in milliseconds; left out when the first one is later, as when the end of a
// push was received before its start.
func (o *object) span(name string, from, to bridge.Millis) {
	if to < from {
		return
	}
	o.name(name)
	*o = strconv.AppendInt(*o, int64(to-from), 10)
}
