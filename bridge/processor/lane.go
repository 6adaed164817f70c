package processor

import (
	"encoding/binary"
	"fmt"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/record"
	"livebridge/bridge/sequencer"
)

// LaneState is what is kept of a lane.
type LaneState struct {
	Name    bridge.Lane
	State   sequencer.State // deadlines on the monotonic scale of this run
	Touched bridge.Millis   // when the last event came

	// Sessions are the latest ones of a lane of stream status, rising, at most SessionsKept; with Options.SessionEvents
	// only.
	Sessions []Session
}

// lane is one lane in memory.
type lane struct {
	LaneState
	changed int // where in the effects it is; the view shows it otherwise
	timer   int // position in the holds' heap; -1 when nothing is held
}

// unchanged is lane.changed of a lane that is as the view shows it.
const unchanged = -1

// How long a lane is remembered that nothing comes for.
const (
	ForgetClosed = 7 * 24 * time.Hour
	ForgetOpen   = bridge.OpenSessionKept
)

// Forgettable reports whether the lane has been idle for long enough at the instant now. Whether something of it waits
// for the broker is not known here.
func (l *LaneState) Forgettable(now bridge.Millis) bool {
	keep := ForgetClosed
	if l.State.Last.Phase == bridge.PhasePublish {
		keep = ForgetOpen
	}
	return len(l.State.Held) == 0 && now-l.Touched > bridge.Millis(keep.Milliseconds())
}

// AppendRecord appends the lane's byte form, without its name. Deadlines are written in nanoseconds of the wall clock,
// the only one that goes on while the program is down.
//
//	touched session phase sequence { session phase id(16) deadline }*
func (l *LaneState) AppendRecord(dst []byte, now Moment) []byte {
	dst = binary.AppendVarint(dst, int64(l.Touched))
	dst = appendKey(dst, l.State.Last)
	dst = binary.AppendUvarint(dst, l.State.Sequence)
	for _, h := range l.State.Held {
		dst = append(appendKey(dst, h.Key), h.ID[:]...)
		dst = binary.AppendVarint(dst, now.WallOf(h.Deadline))
	}
	return dst
}

// ReadRecord reads what AppendRecord has written. A hold comes back with what is left of it as the wall clock stands
// now.
func (l *LaneState) ReadRecord(value []byte, now Moment) error {
	r := record.NewReader(value, nil)
	l.Touched = bridge.Millis(r.Varint())
	l.State.Last = readKey(&r)
	l.State.Sequence = r.Uvarint()
	for r.More() {
		h := sequencer.Held{Key: readKey(&r), ID: r.Bytes16()}
		h.Deadline = now.DeadlineOf(r.Varint())
		l.State.Held = append(l.State.Held, h)
	}
	if r.Err() != nil {
		return fmt.Errorf("state of lane %s: %w", l.Name, r.Err())
	}
	return nil
}

func appendKey(dst []byte, k sequencer.Key) []byte {
	return append(binary.AppendVarint(dst, int64(k.Session)), byte(k.Phase))
}

func readKey(r *record.Reader) sequencer.Key {
	return sequencer.Key{Session: bridge.Millis(r.Varint()), Phase: bridge.Phase(r.Byte())}
}
