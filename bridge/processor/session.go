package processor

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// Session is what a lane of stream status remembers of one push, for the events of the kind session.
type Session struct {
	Session    bridge.Millis
	Started    bridge.Millis // when its PUBLISH was received; 0: it was not emitted in order
	Ended      bridge.Millis // when its PUBLISH_DONE was received; 0: it was not emitted
	StartMarks bridge.Marks
	Stale      bool // there is an event that says so
}

// SessionsKept is how many sessions a lane remembers, the latest ones.
const SessionsKept = 8

// due reports whether the end of the session has been missing for so long at the instant now.
func (s Session) due(now, after bridge.Millis) bool { return s.unended() && now-s.Started >= after }

// unended reports whether the end of the session is missing and nobody was told.
func (s Session) unended() bool { return s.Started != 0 && s.Ended == 0 && !s.Stale }

// Unended reports whether the end of one of the lane's sessions has been missing for so long at the instant now.
func (l *LaneState) Unended(now, after bridge.Millis) bool {
	return slices.ContainsFunc(l.Sessions, func(s Session) bool { return s.due(now, after) })
}

// session returns where a session is among those of the lane, or would be, and whether it is there.
func (l *LaneState) session(at bridge.Millis) (int, bool) {
	return slices.BinarySearchFunc(l.Sessions, at, func(s Session, at bridge.Millis) int {
		return cmp.Compare(s.Session, at)
	})
}

// put puts a session in its place. The array may be shared with an older state, so it is never changed in place.
func (l *LaneState) put(s Session) {
	i, found := l.session(s.Session)
	rest := l.Sessions[i:]
	if found {
		rest = rest[1:]
	}
	out := make([]Session, 0, len(l.Sessions)+1)
	l.Sessions = append(append(append(out, l.Sessions[:i]...), s), rest...)
}

// clockSlack is how far the clocks of the provider and of this machine may be apart for a recording to be found in the
// session that has ended.
const clockSlack = bridge.Millis(10_000)

// sessionBefore returns the last session that had begun before an instant by the provider's clock, 0 when none is known
// or it had ended by then. What is held counts: its session has begun.
func (l *LaneState) sessionBefore(at bridge.Millis) (last bridge.Millis) {
	begun := func(session bridge.Millis) {
		if session < at && session > last {
			last = session
		}
	}
	for _, s := range l.Sessions {
		begun(s.Session)
	}
	for _, h := range l.State.Held {
		begun(h.Key.Session)
	}
	begun(l.State.Last.Session)
	i, found := l.session(last)
	switch {
	case found && l.Sessions[i].Ended != 0 && at > l.Sessions[i].Ended+clockSlack:
		return 0
	case !found && l.State.Last.Session == last && l.State.Last.Phase == bridge.PhaseDone:
		return 0 // when it ended is not remembered
	}
	return last
}

// AppendSessions appends the byte form of a lane's sessions, which lies beside the lane's own:
//
//	touched { session started ended marks(1) stale(1) }*
//
// Touched is the lane's. Where it is not, the lane has changed and its sessions were not written: by a version, or with
// settings, that had no use for them.
func (l *LaneState) AppendSessions(dst []byte) []byte {
	dst = binary.AppendVarint(dst, int64(l.Touched))
	for _, s := range l.Sessions {
		for _, at := range [...]bridge.Millis{s.Session, s.Started, s.Ended} {
			dst = binary.AppendVarint(dst, int64(at))
		}
		dst = record.AppendBool(append(dst, byte(s.StartMarks)), s.Stale)
	}
	return dst
}

// ReadSessions reads what AppendSessions has written, after ReadRecord. Sessions of an older state of the lane are left
// out.
func (l *LaneState) ReadSessions(value []byte) error {
	sessions, touched, err := ReadSessions(value)
	if err != nil {
		return fmt.Errorf("sessions of lane %s: %w", l.Name, err)
	}
	if touched == l.Touched {
		l.Sessions = sessions
	}
	return nil
}

// ReadSessions returns the sessions and the lane's Touched that AppendSessions has written.
func ReadSessions(value []byte) (all []Session, touched bridge.Millis, err error) {
	r := record.NewReader(value, nil)
	touched = bridge.Millis(r.Varint())
	for r.More() {
		all = append(all, Session{
			Session: bridge.Millis(r.Varint()), Started: bridge.Millis(r.Varint()), Ended: bridge.Millis(r.Varint()),
			StartMarks: bridge.Marks(r.Byte()), Stale: r.Bool(),
		})
	}
	return all, touched, r.Err()
}
