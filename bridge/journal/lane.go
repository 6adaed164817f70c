package journal

import (
	"encoding/binary"
	"fmt"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/record"
	"livebridge/bridge/sequencer"
)

// lane is one lane in memory: what the sequencer decides on, and what the writer needs beside it.
type lane struct {
	name    bridge.Lane
	state   sequencer.State
	touched bridge.Millis // when it was last written, for forgetting
	dirty   bool          // differs from the store; written with the commit under way
	timer   int           // position in the holds' heap; -1 when nothing is held
}

// How long a lane is remembered that nothing comes for.
const (
	forgetClosed = 7 * 24 * time.Hour
	forgetOpen   = 30 * 24 * time.Hour
)

// forgettable reports whether the lane has been idle for long enough at the instant now. Whether something of it is
// still in the outbox is not known here.
func (l *lane) forgettable(now bridge.Millis) bool {
	keep := forgetClosed
	if l.state.Last.Phase == bridge.PhasePublish {
		keep = forgetOpen
	}
	return len(l.state.Held) == 0 && now-l.touched > bridge.Millis(keep.Milliseconds())
}

// appendState appends the lane as it lies in table l. Deadlines are written on the wall clock, the only one that goes
// on while the program is down.
//
//	touched session phase sequence { session phase id(16) deadline-in-wall-nanoseconds }*
func (l *lane) appendState(dst []byte, c clock) []byte {
	dst = binary.AppendVarint(dst, int64(l.touched))
	dst = appendKey(dst, l.state.Last)
	dst = binary.AppendUvarint(dst, l.state.Sequence)
	for _, h := range l.state.Held {
		dst = append(appendKey(dst, h.Key), h.ID[:]...)
		dst = binary.AppendVarint(dst, c.wallOf(h.Deadline))
	}
	return dst
}

// readState reads what appendState has written. A hold comes back with what is left of it, between nothing and the
// whole.
func (l *lane) readState(value []byte, c clock, limits sequencer.Limits) error {
	r := record.NewReader(value, nil)
	l.touched = bridge.Millis(r.Varint())
	l.state.Last = readKey(&r)
	l.state.Sequence = r.Uvarint()
	for r.More() {
		h := sequencer.Held{Key: readKey(&r), ID: r.Bytes16()}
		h.Deadline = c.restore(r.Varint(), holdOf(limits, h.Key.Phase))
		l.state.Held = append(l.state.Held, h)
	}
	if r.Err() != nil {
		return fmt.Errorf("state of lane %s: %w", l.name, r.Err())
	}
	return nil
}

// holdOf returns the whole hold of an event of this phase.
func holdOf(limits sequencer.Limits, phase bridge.Phase) time.Duration {
	if phase == bridge.PhaseDone {
		return limits.HoldDone
	}
	return limits.HoldNext
}

func appendKey(dst []byte, k sequencer.Key) []byte {
	return append(binary.AppendVarint(dst, int64(k.Session)), byte(k.Phase))
}

func readKey(r *record.Reader) sequencer.Key {
	return sequencer.Key{Session: bridge.Millis(r.Varint()), Phase: bridge.Phase(r.Byte())}
}
