package checker

import (
	"time"

	"livebridge/bridge"
)

// orderCheck checks the order and the marks of a lane's output by the rules of the lane, as far as the output shows
// what the lane knew.
type orderCheck struct {
	lane          *lane
	config        Config
	report        *Report
	firstSequence uint64      // the first sequence of a new lane; 0: unknown
	lastIndex     map[Key]int // the index of the last event in order with a key
	lastKey       Key         // of the last event in order
	contiguous    bool        // nothing is missing since then, or since the beginning
	partial       bool        // the output may lack events in between: nothing is ever contiguous
}

// exclusive marks exclude all others, except replayed and unsequenced each other.
const exclusive = bridge.MarkLate | bridge.MarkReopened | bridge.MarkReplayed | bridge.MarkUnsequenced

// checkStream checks a lane of stream status.
func (w *orderCheck) checkStream(events []Event) {
	for i := range events {
		if events[i].Marks&exclusive == 0 {
			w.lastIndex[events[i].Key] = i
		}
	}
	for i := range events {
		e := &events[i]
		if i == 0 && e.Sequence == w.firstSequence {
			w.contiguous = !w.partial
		} else if i > 0 && e.Sequence != events[i-1].Sequence+1 {
			w.contiguous = false
		}
		w.checkMarkSyntax(e)
		w.checkEvent(i, e)
	}
}

// checkEvent checks one event of stream status.
func (w *orderCheck) checkEvent(i int, e *Event) {
	switch m := e.Marks; {
	case m.Has(bridge.MarkReplayed):
		w.expect(e, m&^bridge.MarkUnsequenced == bridge.MarkReplayed, "replayed excludes other marks")
		w.checkUnsequenced(e)
	case m.Has(bridge.MarkUnsequenced):
		w.expect(e, m == bridge.MarkUnsequenced, "unsequenced excludes other marks")
		w.expect(e, e.Session == 0, "unsequenced, but it has a session")
	case e.Key.Phase == bridge.PhaseNone:
		w.expect(e, false, "without a usable session or a known event name it must be unsequenced")
	case m.Has(bridge.MarkReopened):
		w.expect(e, m == bridge.MarkReopened, "reopened excludes other marks")
		later := w.lastIndex[e.Key]
		w.expect(e, e.Key == w.lastKey || later > i || !w.contiguous, "reopened, but no other event had its key")
	case m.Has(bridge.MarkLate):
		w.expect(e, m == bridge.MarkLate, "late excludes other marks")
		w.expect(e, e.Key.less(w.lastKey) || !w.contiguous, "late, but no later event was published before it")
	default:
		w.checkOrder(e)
	}
}

// checkOrder checks an event whose marks say that it is in order.
func (w *orderCheck) checkOrder(e *Event) {
	if !w.lastKey.less(e.Key) {
		w.report.fault(FaultInverted, w.lane.name,
			"sequence %d (id %s): %s of session %d comes after %s of session %d without a mark",
			e.Sequence, e.ID, phaseName(e.Key.Phase), e.Key.Session, phaseName(w.lastKey.Phase), w.lastKey.Session)
		return
	}
	m, open := e.Marks, w.lastKey.Phase == bridge.PhasePublish
	publish := e.Key.Phase == bridge.PhasePublish
	unended := publish && open
	unseen := !publish && w.lastKey != Key{e.Session, bridge.PhasePublish}
	if w.contiguous {
		w.expect(e, m.Has(bridge.MarkPrevUnended) == unended,
			"prev_unended must be present exactly if a PUBLISH follows a PUBLISH")
		w.expect(e, m.Has(bridge.MarkStartUnseen) == unseen,
			"start_unseen must be present exactly if a PUBLISH_DONE does not follow its PUBLISH")
	}
	ended := m.Has(bridge.MarkPrevUnended) || m.Has(bridge.MarkStartUnseen)
	w.expect(e, ended || !m.Has(bridge.MarkForced), "forced, but nothing was missing before it")
	if ended && !m.Has(bridge.MarkForced) {
		w.checkHoldServed(e)
	}
	w.lastKey, w.contiguous = e.Key, !w.partial
}

// checkHoldServed: the mark of an ended hold is without forced only if the whole hold has passed.
func (w *orderCheck) checkHoldServed(e *Event) {
	hold := w.config.HoldNext
	if e.Key.Phase == bridge.PhaseDone {
		hold = w.config.HoldDone
	}
	const rounding = 2 * time.Millisecond // both instants are truncated to milliseconds
	waited := time.Duration(e.Seen-e.Recorded) * time.Millisecond
	w.expect(e, e.Seen == 0 || waited+rounding >= hold, "received before its hold can have ended, but not forced")
}

// checkOther checks a lane of another kind, or of the quarantine, which has no order of its own.
func (w *orderCheck) checkOther(events []Event) {
	for i := range events {
		e := &events[i]
		w.checkMarkSyntax(e)
		const allowed = bridge.MarkReplayed | bridge.MarkUnsequenced
		w.expect(e, e.Marks&^allowed == 0, "marks of an order that its kind does not have")
		w.checkUnsequenced(e)
	}
}

// checkUnsequenced: without sessions, unsequenced is present exactly if the event name is unknown.
func (w *orderCheck) checkUnsequenced(e *Event) {
	w.expect(e, e.Marks.Has(bridge.MarkUnsequenced) == e.unknown(),
		"unsequenced must be present exactly if the event name is unknown")
}

func (w *orderCheck) checkMarkSyntax(e *Event) {
	w.expect(e, e.InvalidMarks == "", "unknown marks, or not in alphabetical order: "+e.InvalidMarks)
}

func (w *orderCheck) expect(e *Event, ok bool, what string) {
	if !ok {
		w.report.fault(FaultMark, w.lane.name, "sequence %d (id %s, marks %q): %s", e.Sequence, e.ID, e.Marks, what)
	}
}

func phaseName(p bridge.Phase) string {
	if p == bridge.PhaseDone {
		return "PUBLISH_DONE"
	}
	return "PUBLISH"
}
