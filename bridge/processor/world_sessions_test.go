package processor_test

import (
	"fmt"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/session"
)

// callbacks returns the events that callbacks have caused.
func callbacks(events []*bridge.Event) (out []*bridge.Event) {
	for _, e := range events {
		if e.Lane.Kind != bridge.KindSession {
			out = append(out, e)
		}
	}
	return out
}

// pushes are what one lane of stream status says of its sessions, by what has come out of it, in that order.
type pushes struct {
	ends  map[bridge.Millis]*session.Ends
	stale map[bridge.Millis]bool
	want  []bridge.Event // events of ends that have not come out yet
	last  uint64         // sequence of the lane of sessions
}

// checkSessions holds the events of sessions against all that has come out with them by an instant, and returns the
// first difference.
func checkSessions(events []*bridge.Event, after time.Duration, now bridge.Millis) string {
	lanes := make(map[string]*pushes)
	for _, e := range events {
		l := lanes[e.Lane.Stream]
		if l == nil {
			l = &pushes{ends: make(map[bridge.Millis]*session.Ends), stale: make(map[bridge.Millis]bool)}
			lanes[e.Lane.Stream] = l
		}
		switch e.Lane.Kind {
		case bridge.KindStream:
			l.follow(e)
		case bridge.KindSession:
			if wrong := l.compare(e, bridge.Millis(after.Milliseconds())); wrong != "" {
				return fmt.Sprintf("%s: %s: %s", e.Lane, e.Data, wrong)
			}
		}
	}
	for name, l := range lanes {
		if wrong := l.finish(bridge.Millis(after.Milliseconds()), now); wrong != "" {
			return name + ": " + wrong
		}
	}
	return ""
}

// follow notes an event of stream status.
func (l *pushes) follow(e *bridge.Event) {
	if e.Marks&(bridge.MarkReopened|bridge.MarkReplayed|bridge.MarkUnsequenced) != 0 {
		return
	}
	ends := l.ends[e.Session]
	switch {
	case e.Phase == start && e.Marks&bridge.MarkLate == 0:
		l.ends[e.Session] = &session.Ends{Started: e.Recorded, StartMarks: e.Marks}
	case e.Phase == done && (ends == nil || ends.Ended == 0):
		if ends == nil {
			ends = new(session.Ends)
			l.ends[e.Session] = ends
		}
		ends.Ended, ends.EndMarks = e.Recorded, e.Marks
		l.want = append(l.want, session.Ended(session.PushOf(e.Lane, e.Session), *ends))
	}
}

// compare holds an event of a session against what its lane has said by then.
func (l *pushes) compare(e *bridge.Event, after bridge.Millis) string {
	if l.last != 0 && e.Sequence != l.last+1 {
		return fmt.Sprintf("sequence %d behind %d", e.Sequence, l.last)
	}
	l.last = e.Sequence
	if e.Type == session.TypeEnded {
		if len(l.want) == 0 || string(e.Data) != string(l.want[0].Data) || e.ID != l.want[0].ID || e.Marks != 0 {
			return fmt.Sprintf("no such end; missing are %d", len(l.want))
		}
		l.want = l.want[1:]
		return ""
	}
	ends := l.ends[e.Session]
	if ends == nil || ends.Started == 0 || ends.Ended != 0 || l.stale[e.Session] || e.Recorded-ends.Started < after {
		return fmt.Sprintf("not stale at %s: %+v", e.Recorded, ends)
	}
	l.stale[e.Session] = true
	return ""
}

// finish returns what has not come out though it should have. Sessions are looked at every second.
func (l *pushes) finish(after, now bridge.Millis) string {
	if len(l.want) > 0 {
		return fmt.Sprintf("%d ends are missing, the first %s", len(l.want), l.want[0].Data)
	}
	for at, ends := range l.ends {
		if ends.Ended == 0 && after > 0 && now-ends.Started > after+1000 && !l.stale[at] {
			return fmt.Sprintf("session %d is not told to be stale", at)
		}
		if l.stale[at] && after == 0 {
			return fmt.Sprintf("session %d is told to be stale", at)
		}
	}
	return ""
}
